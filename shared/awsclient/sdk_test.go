package awsclient_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/awsclient"
)

// slowToReturn is a connection whose Write returns when an answer has come, before net/http goes on. Where the server
// waits for more than was written, Write returns without an answer.
type slowToReturn struct {
	net.Conn
	answered chan struct{} // holds one value after a Read
}

func (c slowToReturn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	select {
	case c.answered <- struct{}{}:
	default:
	}
	return n, err
}

func (c slowToReturn) Write(p []byte) (int, error) {
	select {
	case <-c.answered: // by an earlier answer
	default:
	}
	n, err := c.Conn.Write(p)
	select {
	case <-c.answered:
	case <-time.After(20 * time.Millisecond):
	}
	return n, err
}

// A server that answers at once must not make the SDK's client cut the connection, while the answer is still being read
// or after it.
func TestAQuickAnswerKeepsTheConnection(t *testing.T) {
	t.Parallel()
	var opened, asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"TableNames":["`+strings.Repeat("x", 20_000)+`"]}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
		}),
		HTTPClient: awsclient.ForSDK(awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
			dial := transport.DialContext
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				return slowToReturn{conn, make(chan struct{}, 1)}, err
			}
		})),
	})
	const calls = 20
	for range calls {
		if _, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
			t.Fatal(err)
		}
	}
	// A busy machine may take longer than net/http waits for the end of a write before it uses a connection again.
	if opened.Load() > calls/2 || asked.Load() != calls {
		t.Errorf("%d calls took %d requests over %d connections", calls, asked.Load(), opened.Load())
	}
}
