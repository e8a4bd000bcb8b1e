package localstage_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// BenchmarkPosts measures posts with a role's keys, with all checks of the stage. All posts are the same request,
// signed once. Their senders share the machine with the stage.
func BenchmarkPosts(b *testing.B) {
	stage := stagetest.Start(b, stagetest.Options{})
	client := stage.Client(b)
	conn, _, err := client.Connect(b.Context(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	go func() {
		for err := error(nil); err == nil; {
			_, err = conn.Next(b.Context())
		}
	}()
	const frame = `{"type":"message","id":"4ZDUDGJTZKAPE2ZSXKQ4TUQMQY","room":"lobby","from":{"sub":"alice",` +
		`"name":"Alice"},"message":"hello","sentAt":1795327200123}`
	id := strings.Replace(stage.Gateway().Connections()[0].ConnectionID, "=", "%3D", 1)
	newPost := func() *http.Request {
		r, err := http.NewRequest(http.MethodPost, client.Outputs.CallbackURL+"/@connections/"+id,
			strings.NewReader(frame))
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	keys, err := clienttest.Keys(b, client, "SendMessageFunction").Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	signed, hash := newPost(), sha256.Sum256([]byte(frame))
	if err := v4.NewSigner().SignHTTP(b.Context(), keys, signed, hex.EncodeToString(hash[:]), "execute-api",
		client.Outputs.Region, time.Now()); err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	var refused atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := newPost()
			r.Header = signed.Header
			response, err := transport.RoundTrip(r)
			if err != nil {
				refused.Add(1)
				continue
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				refused.Add(1)
			}
		}
	})
	if n := refused.Load(); n > 0 {
		b.Errorf("%d posts were refused", n)
	}
}
