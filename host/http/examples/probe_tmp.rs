//! temp
#![allow(clippy::unwrap_used, clippy::print_stdout)]
use benchhost_http::*; use benchhost_model::Nanos;
fn main(){
 let target = Target{ base:"http://127.0.0.1:8080".parse().unwrap(), connector: Connector::new(&TlsOptions::default()).unwrap(), headers: vec![], limits: Limits::default(), reuse: Reuse::KeepAlive };
 let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
 for conc in [1usize,4] {
 rt.block_on(async {
  let client = std::sync::Arc::new(Client::new(target.clone(), RunClock::start()));
  let mut hs=vec![];
  for c in 0..conc { let client=client.clone(); hs.push(tokio::spawn(async move { let mut v=vec![]; for i in 0..8 {
   let body=format!("{{\"stream\":true,\"max_tokens\":8,\"messages\":[{{\"role\":\"user\",\"content\":\"hi {c} {i}\"}}]}}");
   let o=Outgoing::new("POST","/v1/chat/completions",&[("content-type".into(),"application/json".into())],body).unwrap();
   let t=client.exchange(&o,Nanos::ZERO,&Cancel::new()).await; v.push((t.attempts,t.connection_reused,t.status,t.failure.map(|f|f.detail))); } v })); }
  for h in hs { println!("{conc}: {:?}", h.await.unwrap()); }
 }); }
}
