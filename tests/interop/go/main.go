// Asks a Hydrophone server what it has loaded, and for one capture, whose checksum it checks.
package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	hydrophonev1 "interop/gen/go/hydrophone/v1"
)

func main() {
	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	client := hydrophonev1.NewActivationServiceClient(connection)
	if err := printModel(client); err != nil {
		log.Fatal(err)
	}
	if err := printCapture(client); err != nil {
		log.Fatal(err)
	}
}

func printModel(client hydrophonev1.ActivationServiceClient) error {
	answer, err := client.GetModel(context.Background(), &hydrophonev1.GetModelRequest{})
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d layers\n", answer.GetModel().GetName(), answer.GetModel().GetNLayer())
	return nil
}

// printCapture reads the stream to its trailer: without one, it is incomplete. This capture fits into one chunk; a
// larger one comes in several, each with the offset of its bytes.
func printCapture(client hydrophonev1.ActivationServiceClient) error {
	stream, err := client.Extract(context.Background(), &hydrophonev1.ExtractRequest{
		Texts:      []string{"Hello world"},
		HookPoints: []string{"blocks.10.hook_attn_out"},
	})
	if err != nil {
		return err
	}
	complete := false
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if chunk := message.GetChunk(); chunk != nil {
			if crc32.ChecksumIEEE(chunk.GetData()) != chunk.GetCrc32() {
				return fmt.Errorf("tensor %d: the checksum is wrong", chunk.GetTensor())
			}
			info := chunk.GetInfo()
			fmt.Printf("%s %v: %d bytes, CRC-32 %08x\n", info.GetName(), info.GetShape(), len(chunk.GetData()), chunk.GetCrc32())
		}
		complete = complete || message.GetTrailer() != nil
	}
	if !complete {
		return fmt.Errorf("the stream ended without a trailer")
	}
	return nil
}
