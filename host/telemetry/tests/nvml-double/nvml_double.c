/* A stand-in for NVIDIA's libnvidia-ml.so, for tests: every value is a function of the GPU's index and of how often
 * the call was made for it, and faults follow a script. The script is `<path of this library>.script`, read by nvmlInit;
 * on nvmlShutdown the number of calls by name is written to `<path of this library>.calls`.
 *
 * Script, one rule a line:
 *   devices N               how many GPUs there are (default 1, at most 8)
 *   return CALL GPU FROM RC the call answers RC from its FROMth time on; GPU is an index, or -1 for any or none
 *   sleep CALL MS           the call takes that long
 *   energy-restart N        the energy counter starts again at its Nth reading
 *   process-memory-unknown  the memory of processes is all ones, as in containers
 *   bad-name                the name of a GPU is not UTF-8
 *
 * A missing symbol is a build variant: -DnvmlDeviceGetPowerUsage=renamed takes that symbol out.
 * Function signatures and layouts follow nvml.h. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_GPUS 8
#define MAX_RULES 32
#define MAX_CALLS 64
#define NAME_LEN 64
#define MIB (1024ull * 1024ull)
#define GIB (1024ull * MIB)

enum { OK = 0, BAD_ARGUMENT = 2, NOT_SUPPORTED = 3, TOO_SMALL = 7, VERSION_MISMATCH = 25 };

typedef struct gpu { unsigned index; } *device;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_v2;
typedef struct { unsigned gpu, memory; } utilization;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } process_info;
typedef struct {
    char legacy_id[16];
    unsigned domain, bus, dev, pci_device_id, pci_subsystem_id;
    char id[32];
} pci_info;
typedef struct {
    unsigned id, scope;
    long long timestamp, latency;
    unsigned type, result;
    unsigned long long value;
} field_value;

struct rule { char call[NAME_LEN]; int gpu; unsigned long from; unsigned code; };
struct pause { char call[NAME_LEN]; unsigned ms; };
struct counter { char call[NAME_LEN]; unsigned long total, by_gpu[MAX_GPUS]; };

static struct gpu gpus[MAX_GPUS];
static unsigned gpu_count;
static struct rule rules[MAX_RULES];
static int rule_count;
static struct pause pauses[MAX_RULES];
static int pause_count;
static struct counter counters[MAX_CALLS];
static int counter_count;
static unsigned long energy_restart;
static int process_memory_unknown, bad_name;

static void beside(const char *suffix, char *path, size_t size) {
    Dl_info self;
    path[0] = 0;
    if (dladdr((void *)beside, &self) && self.dli_fname) snprintf(path, size, "%s%s", self.dli_fname, suffix);
}

static void read_script(void) {
    char path[4096], line[256];
    gpu_count = 1;
    for (unsigned i = 0; i < MAX_GPUS; i++) gpus[i].index = i;
    beside(".script", path, sizeof path);
    FILE *script = fopen(path, "r");
    if (!script) return;
    while (fgets(line, sizeof line, script)) {
        struct rule r;
        struct pause p;
        if (sscanf(line, "devices %u", &gpu_count) == 1) {
            if (gpu_count > MAX_GPUS) gpu_count = MAX_GPUS;
        } else if (sscanf(line, "return %63s %d %lu %u", r.call, &r.gpu, &r.from, &r.code) == 4) {
            if (rule_count < MAX_RULES) rules[rule_count++] = r;
        } else if (sscanf(line, "sleep %63s %u", p.call, &p.ms) == 2) {
            if (pause_count < MAX_RULES) pauses[pause_count++] = p;
        } else if (sscanf(line, "energy-restart %lu", &energy_restart) == 1) {
        } else if (!strncmp(line, "process-memory-unknown", 22)) {
            process_memory_unknown = 1;
        } else if (!strncmp(line, "bad-name", 8)) {
            bad_name = 1;
        }
    }
    fclose(script);
}

static void pause_ms(unsigned ms) {
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t)) {}
}

static struct counter *counter_of(const char *call) {
    for (int i = 0; i < counter_count; i++)
        if (!strcmp(counters[i].call, call)) return &counters[i];
    struct counter *fresh = &counters[counter_count < MAX_CALLS ? counter_count++ : MAX_CALLS - 1];
    snprintf(fresh->call, NAME_LEN, "%s", call);
    return fresh;
}

/* Counts the call, follows the script; *n becomes how often the call was made for this GPU. */
static unsigned enter(const char *call, device dev, unsigned long *n) {
    struct counter *counter = counter_of(call);
    counter->total++;
    unsigned long times = dev ? ++counter->by_gpu[dev->index] : counter->total;
    if (n) *n = times;
    for (int i = 0; i < pause_count; i++)
        if (!strcmp(pauses[i].call, call)) pause_ms(pauses[i].ms);
    for (int i = 0; i < rule_count; i++) {
        int mine = rules[i].gpu < 0 || (dev && (unsigned)rules[i].gpu == dev->index);
        if (mine && !strcmp(rules[i].call, call) && times >= rules[i].from) return rules[i].code;
    }
    return OK;
}

#define ENTER(dev, n)                                   \
    do {                                                \
        unsigned code_ = enter(__func__, dev, n);       \
        if (code_ != OK) return code_;                  \
    } while (0)

static unsigned put(char *out, unsigned size, const char *text) {
    if (strlen(text) + 1 > size) return TOO_SMALL;
    strcpy(out, text);
    return OK;
}

EXPORT unsigned nvmlInit_v2(void) {
    read_script();
    ENTER(NULL, NULL);
    return OK;
}

EXPORT unsigned nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    read_script();
    ENTER(NULL, NULL);
    return OK;
}

EXPORT unsigned nvmlShutdown(void) {
    char path[4096];
    ENTER(NULL, NULL);
    beside(".calls", path, sizeof path);
    FILE *calls = fopen(path, "w");
    if (calls) {
        for (int i = 0; i < counter_count; i++) fprintf(calls, "%s %lu\n", counters[i].call, counters[i].total);
        fclose(calls);
    }
    return OK;
}

EXPORT unsigned nvmlSystemGetDriverVersion(char *out, unsigned size) {
    ENTER(NULL, NULL);
    return put(out, size, "570.124.06");
}

EXPORT unsigned nvmlSystemGetNVMLVersion(char *out, unsigned size) {
    ENTER(NULL, NULL);
    return put(out, size, "12.570.124.06");
}

EXPORT unsigned nvmlSystemGetCudaDriverVersion_v2(int *out) {
    ENTER(NULL, NULL);
    *out = 12040;
    return OK;
}

EXPORT unsigned nvmlDeviceGetCount_v2(unsigned *out) {
    ENTER(NULL, NULL);
    *out = gpu_count;
    return OK;
}

EXPORT unsigned nvmlDeviceGetHandleByIndex_v2(unsigned index, device *out) {
    if (index >= gpu_count) return BAD_ARGUMENT;
    ENTER(&gpus[index], NULL);
    *out = &gpus[index];
    return OK;
}

EXPORT unsigned nvmlDeviceGetName(device dev, char *out, unsigned size) {
    ENTER(dev, NULL);
    return put(out, size, bad_name ? "\xff\xfe" : "Double GPU 80GB");
}

EXPORT unsigned nvmlDeviceGetUUID(device dev, char *out, unsigned size) {
    char uuid[64];
    ENTER(dev, NULL);
    snprintf(uuid, sizeof uuid, "GPU-00000000-0000-0000-0000-%012u", dev->index);
    return put(out, size, uuid);
}

EXPORT unsigned nvmlDeviceGetPciInfo_v3(device dev, pci_info *out) {
    ENTER(dev, NULL);
    memset(out, 0, sizeof *out);
    out->bus = dev->index + 1;
    snprintf(out->legacy_id, sizeof out->legacy_id, "0000:%02X:00.0", out->bus);
    snprintf(out->id, sizeof out->id, "00000000:%02X:00.0", out->bus);
    return OK;
}

EXPORT unsigned nvmlDeviceGetUtilizationRates(device dev, utilization *out) {
    unsigned long n;
    ENTER(dev, &n);
    out->gpu = (unsigned)((10 * dev->index + n) % 101);
    out->memory = (unsigned)(n % 50);
    return OK;
}

EXPORT unsigned nvmlDeviceGetMemoryInfo_v2(device dev, memory_v2 *out) {
    unsigned long n;
    ENTER(dev, &n);
    if (out->version != (unsigned)(sizeof(memory_v2) | (2u << 24))) return VERSION_MISMATCH;
    out->total = 80 * GIB;
    out->reserved = GIB;
    out->used = (10 + dev->index) * GIB + n * MIB;
    out->free = out->total - out->reserved - out->used;
    return OK;
}

EXPORT unsigned nvmlDeviceGetPowerUsage(device dev, unsigned *out) {
    unsigned long n;
    ENTER(dev, &n);
    *out = (unsigned)(200000 + 1000 * dev->index + n);
    return OK;
}

EXPORT unsigned nvmlDeviceGetEnforcedPowerLimit(device dev, unsigned *out) {
    ENTER(dev, NULL);
    *out = 700000;
    return OK;
}

EXPORT unsigned nvmlDeviceGetTotalEnergyConsumption(device dev, unsigned long long *out) {
    unsigned long n;
    ENTER(dev, &n);
    *out = energy_restart && n >= energy_restart ? 500 * (n - energy_restart)
                                                 : 1000000ull * (dev->index + 1) + 500 * n;
    return OK;
}

EXPORT unsigned nvmlDeviceGetTemperature(device dev, unsigned sensor, unsigned *out) {
    unsigned long n;
    ENTER(dev, &n);
    if (sensor != 0) return BAD_ARGUMENT;
    *out = (unsigned)(40 + dev->index + n % 10);
    return OK;
}

EXPORT unsigned nvmlDeviceGetClockInfo(device dev, unsigned kind, unsigned *out) {
    unsigned long n;
    ENTER(dev, &n);
    if (kind > 3) return BAD_ARGUMENT;
    *out = (unsigned)(400 + 1000 * kind + dev->index + n);
    return OK;
}

EXPORT unsigned nvmlDeviceGetMaxClockInfo(device dev, unsigned kind, unsigned *out) {
    ENTER(dev, NULL);
    if (kind > 3) return BAD_ARGUMENT;
    *out = 1980;
    return OK;
}

EXPORT unsigned nvmlDeviceGetPcieThroughput(device dev, unsigned kind, unsigned *out) {
    ENTER(dev, NULL);
    /* The real call measures over 20 ms and blocks meanwhile. */
    pause_ms(20);
    *out = 1000 + kind;
    return OK;
}

EXPORT unsigned nvmlDeviceGetCurrentClocksThrottleReasons(device dev, unsigned long long *out) {
    unsigned long n;
    ENTER(dev, &n);
    *out = n % 2 ? 0 : 4;
    return OK;
}

EXPORT unsigned nvmlDeviceGetComputeRunningProcesses_v3(device dev, unsigned *count, process_info *out) {
    ENTER(dev, NULL);
    if (*count < 2 || !out) {
        *count = 2;
        return TOO_SMALL;
    }
    *count = 2;
    for (unsigned i = 0; i < 2; i++) {
        memset(&out[i], 0, sizeof out[i]);
        out[i].pid = 4000 + i;
        out[i].used = process_memory_unknown ? ~0ull : (i + 1) * GIB;
    }
    return OK;
}

EXPORT unsigned nvmlDeviceGetFieldValues(device dev, int count, field_value *values) {
    ENTER(dev, NULL);
    for (int i = 0; i < count; i++) values[i].result = NOT_SUPPORTED;
    return OK;
}

EXPORT unsigned nvmlDeviceGetNvLinkState(device dev, unsigned link, unsigned *out) {
    ENTER(dev, NULL);
    *out = link < 4;
    return OK;
}

EXPORT unsigned nvmlDeviceGetNvLinkUtilizationCounter(device dev, unsigned link, unsigned counter,
                                                      unsigned long long *rx, unsigned long long *tx) {
    ENTER(dev, NULL);
    *rx = link;
    *tx = counter;
    return OK;
}

EXPORT unsigned nvmlDeviceGetMigMode(device dev, unsigned *current, unsigned *pending) {
    ENTER(dev, NULL);
    *current = *pending = 0;
    return OK;
}

EXPORT unsigned nvmlDeviceGetArchitecture(device dev, unsigned *out) {
    ENTER(dev, NULL);
    *out = 9;
    return OK;
}

EXPORT unsigned nvmlDeviceGetCudaComputeCapability(device dev, int *major, int *minor) {
    ENTER(dev, NULL);
    *major = 9;
    *minor = 0;
    return OK;
}
