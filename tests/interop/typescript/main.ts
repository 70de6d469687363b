// Asks a Hydrophone server what it has loaded, and for one capture, whose checksum it checks.
import { crc32 } from "node:zlib";

import { createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { ActivationService } from "./gen/typescript/hydrophone/v1/activation_service_pb.js";

async function printModel(client: Client<typeof ActivationService>) {
  const { model } = await client.getModel({});
  console.log(`${model?.name}: ${model?.nLayer} layers`);
}

// Reads the stream to its trailer: without one, it is incomplete. This capture fits into one chunk; a larger one comes
// in several, each with the offset of its bytes.
async function printCapture(client: Client<typeof ActivationService>) {
  let complete = false;
  for await (const { part } of client.extract({ texts: ["Hello world"], hookPoints: ["blocks.10.hook_attn_out"] })) {
    if (part.case === "chunk") {
      const { tensor, info, data } = part.value;
      if (crc32(data) !== part.value.crc32) throw new Error(`tensor ${tensor}: the checksum is wrong`);
      const checksum = part.value.crc32.toString(16).padStart(8, "0");
      console.log(`${info?.name} [${info?.shape.join(" ")}]: ${data.length} bytes, CRC-32 ${checksum}`);
    }
    complete ||= part.case === "trailer";
  }
  if (!complete) throw new Error("the stream ended without a trailer");
}

const client = createClient(ActivationService, createGrpcTransport({ baseUrl: `http://${process.argv[2]}` }));
await printModel(client);
await printCapture(client);
