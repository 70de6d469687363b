package hydrophone;

import hydrophone.v1.ActivationServiceGrpc;
import hydrophone.v1.ActivationServiceGrpc.ActivationServiceBlockingStub;
import hydrophone.v1.Chunk;
import hydrophone.v1.ExtractRequest;
import hydrophone.v1.ExtractResponse;
import hydrophone.v1.GetModelRequest;
import hydrophone.v1.ModelInfo;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.util.Iterator;
import java.util.stream.Collectors;
import java.util.zip.CRC32;

/** Asks a Hydrophone server what it has loaded, and for one capture, whose checksum it checks. */
public final class Main {
  public static void main(String[] arguments) {
    ManagedChannel channel = Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).build();
    try {
      ActivationServiceBlockingStub client = ActivationServiceGrpc.newBlockingStub(channel);
      printModel(client);
      printCapture(client);
    } finally {
      channel.shutdownNow();
    }
  }

  private static void printModel(ActivationServiceBlockingStub client) {
    ModelInfo model = client.getModel(GetModelRequest.getDefaultInstance()).getModel();
    System.out.printf("%s: %d layers%n", model.getName(), model.getNLayer());
  }

  /**
   * Reads the stream to its trailer: without one, it is incomplete. This capture fits into one chunk; a larger one comes
   * in several, each with the offset of its bytes.
   */
  private static void printCapture(ActivationServiceBlockingStub client) {
    ExtractRequest request =
        ExtractRequest.newBuilder().addTexts("Hello world").addHookPoints("blocks.10.hook_attn_out").build();
    boolean complete = false;
    for (Iterator<ExtractResponse> stream = client.extract(request); stream.hasNext(); ) {
      ExtractResponse message = stream.next();
      if (message.hasChunk()) print(message.getChunk());
      complete |= message.hasTrailer();
    }
    if (!complete) throw new IllegalStateException("the stream ended without a trailer");
  }

  private static void print(Chunk chunk) {
    CRC32 checksum = new CRC32();
    checksum.update(chunk.getData().asReadOnlyByteBuffer());
    if ((int) checksum.getValue() != chunk.getCrc32()) {
      throw new IllegalStateException("tensor " + chunk.getTensor() + ": the checksum is wrong");
    }
    String shape = chunk.getInfo().getShapeList().stream().map(String::valueOf).collect(Collectors.joining(" "));
    System.out.printf(
        "%s [%s]: %d bytes, CRC-32 %08x%n", chunk.getInfo().getName(), shape, chunk.getData().size(), chunk.getCrc32());
  }
}
