//! Asks a Hydrophone server what it has loaded, and for one capture, whose checksum it checks.

// The comments of the API are indented as people read them, not as rustdoc does.
#[allow(clippy::doc_lazy_continuation)]
mod v1 {
    tonic::include_proto!("hydrophone.v1");
}

use tonic::transport::Channel;
use v1::activation_service_client::ActivationServiceClient;
use v1::extract_response::Part;
use v1::{ExtractRequest, GetModelRequest};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

async fn print_model(client: &mut ActivationServiceClient<Channel>) -> Result {
    let answer = client.get_model(GetModelRequest {}).await?.into_inner();
    let model = answer.model.ok_or("no model in the answer")?;
    println!("{}: {} layers", model.name, model.n_layer);
    Ok(())
}

/// Reads the stream to its trailer: without one, it is incomplete. This capture fits into one chunk; a larger one comes
/// in several, each with the offset of its bytes.
async fn print_capture(client: &mut ActivationServiceClient<Channel>) -> Result {
    let request = ExtractRequest {
        texts: vec!["Hello world".to_string()],
        hook_points: vec!["blocks.10.hook_attn_out".to_string()],
        ..Default::default()
    };
    let mut stream = client.extract(request).await?.into_inner();
    let mut complete = false;
    while let Some(message) = stream.message().await? {
        match message.part {
            Some(Part::Chunk(chunk)) => {
                if crc32fast::hash(&chunk.data) != chunk.crc32 {
                    return Err(format!("tensor {}: the checksum is wrong", chunk.tensor).into());
                }
                let info = chunk.info.unwrap_or_default();
                let shape: Vec<String> = info.shape.iter().map(u32::to_string).collect();
                let (name, shape, size) = (info.name, shape.join(" "), chunk.data.len());
                println!("{name} [{shape}]: {size} bytes, CRC-32 {:08x}", chunk.crc32);
            }
            Some(Part::Trailer(_)) => complete = true,
            _ => {}
        }
    }
    if complete { Ok(()) } else { Err("the stream ended without a trailer".into()) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let address = std::env::args().nth(1).ok_or("usage: interop ADDRESS")?;
    let mut client = ActivationServiceClient::connect(format!("http://{address}")).await?;
    print_model(&mut client).await?;
    print_capture(&mut client).await
}
