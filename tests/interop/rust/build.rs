//! Generates the API's messages and its client. Needs protoc in PATH; HYDROPHONE_PROTO is the directory proto/.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-env-changed=HYDROPHONE_PROTO");
    let proto = std::env::var("HYDROPHONE_PROTO").unwrap_or("../../../proto".to_string());
    let service = format!("{proto}/hydrophone/v1/activation_service.proto");
    tonic_prost_build::configure().build_server(false).compile_protos(&[service], &[proto])?;
    Ok(())
}
