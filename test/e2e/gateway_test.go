package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/coder/websocket"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// The tests of this file check the answers of the gateway itself. Each names a row of localstage/FIDELITY.md, which a
// run against a deployed stage confirms or contradicts.

const (
	forbidden    = `{"message":"Forbidden"}`
	upgradeFirst = `{"message":"Upgrade Required"}`
)

func TestHandshakesThatTheGatewayRefusesByItself(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	socket := strings.Replace(client.Outputs.WebSocketURL, "ws", "http", 1)
	origin := strings.TrimSuffix(socket, "/prod")
	upgrade := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-WebSocket-Version": {"13"},
		"Sec-WebSocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	without := func(name string) http.Header {
		header := upgrade.Clone()
		delete(header, name)
		return header
	}
	for _, test := range []struct {
		name, url       string
		header          http.Header
		status          int
		errorType, body string
	}{
		{"unsigned", socket, upgrade, 403, "MissingAuthenticationTokenException",
			`{"message":"Missing Authentication Token"}`},
		{"unknown stage", origin + "/nowhere", upgrade, 403, "ForbiddenException", forbidden},
		{"below the stage", socket + "/more", upgrade, 403, "ForbiddenException", forbidden},
		{"plain GET", socket, http.Header{}, 426, "", upgradeFirst},
		{"too long", socket + "?x=" + strings.Repeat("a", 4097), upgrade, 414, "RequestEntityTooLargeException",
			`{"message":"Request URI Too Long"}`},
		{"no key", socket, without("Sec-WebSocket-Key"), 400, "BadRequestException", `{"message":"Bad Request"}`},
		{"no version", socket, without("Sec-WebSocket-Version"), 400, "BadRequestException",
			`{"message":"Bad Request"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, body := ask(t, client, http.MethodGet, test.url, test.header, nil)
			wantAnswer(t, response, body, test.status, test.errorType, test.body)
		})
	}
}

// ask sends a request with the given headers, signed only if they are, and returns the answer.
func ask(t *testing.T, client *stageclient.Client, method, url string, header http.Header, body []byte) (*http.Response,
	string) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	transport := http.DefaultTransport
	if client.HTTP != nil && client.HTTP.Transport != nil {
		transport = client.HTTP.Transport
	}
	return clienttest.Fetch(t, transport.RoundTrip, r)
}

// wantAnswer checks an answer of the gateway itself, with the ids that each such answer has.
func wantAnswer(t *testing.T, response *http.Response, body string, status int, errorType, want string) {
	t.Helper()
	if got := response.Header.Get("X-Amzn-Errortype"); response.StatusCode != status || got != errorType ||
		body != want {
		t.Errorf("answered %d %q %s, want %d %q %s", response.StatusCode, got, body, status, errorType, want)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	if id := response.Header.Get("X-Amzn-Requestid"); !uuid.MatchString(id) {
		t.Errorf("x-amzn-RequestId is %q", id)
	}
	if id := response.Header.Get("X-Amz-Apigw-Id"); status >= 400 &&
		!regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`).MatchString(id) {
		t.Errorf("x-amz-apigw-id is %q", id)
	}
}

func TestSocketsOfTheGateway(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	signed, proof := sign(t, client, "alice")
	socket, response, err := websocket.Dial(within(t), signed.URL, &websocket.DialOptions{
		Subprotocols:    []string{stageclient.Protocol, "pop." + proof.Verifier},
		CompressionMode: websocket.CompressionContextTakeover,
		HTTPHeader:      http.Header{"Origin": {client.Origin()}}, HTTPClient: client.HTTP,
	})
	if err != nil {
		t.Fatal("the handshake failed")
	}
	t.Cleanup(func() { _ = socket.CloseNow() })
	t.Run("compression is not negotiated", func(t *testing.T) {
		if got := response.Header.Get("Sec-Websocket-Extensions"); got != "" {
			t.Errorf("sec-websocket-extensions is %q", got)
		}
	})
	read := make(chan string, 16)
	go func() {
		defer close(read)
		for {
			_, data, err := socket.Read(t.Context())
			if err != nil {
				return
			}
			read <- string(data)
		}
	}()
	t.Run("a ping is answered", func(t *testing.T) {
		if err := socket.Ping(within(t)); err != nil {
			t.Error(err)
		}
	})
	t.Run("fragments are one message", func(t *testing.T) {
		w, err := socket.Writer(within(t), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		for _, fragment := range []string{`{"action":`, `"ping"`, `}`} {
			if _, err := io.WriteString(w, fragment); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-read:
			if got != `{"type":"pong"}` {
				t.Errorf("answered %s, want a pong", got)
			}
		case <-within(t).Done():
			t.Error("there was no answer")
		}
	})
}

// TestConnectionsOfTheGateway uses @connections as an operator does, request by request.
func TestConnectionsOfTheGateway(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	alice := connect(t, client, "alice")
	id := onlyConnection(t, client)
	const unknown = "L0SM9cOFvHcCIhw="
	callback := client.Outputs.CallbackURL
	elsewhere := strings.TrimSuffix(callback, "/prod") + "/nowhere"
	for _, test := range []struct {
		name, method, url string
		body              []byte
		status            int
		errorType, answer string
	}{
		{"post", "POST", callback + "/@connections/" + id, []byte(`{"type":"pong"}`), 200, "", ""},
		{"post to an unknown id", "POST", callback + "/@connections/" + unknown, []byte("x"), 410, "GoneException", ""},
		{"get an unknown id", "GET", callback + "/@connections/" + unknown, nil, 410, "GoneException", ""},
		{"delete an unknown id", "DELETE", callback + "/@connections/" + unknown, nil, 410, "GoneException", ""},
		{"malformed id", "POST", callback + "/@connections/abc", []byte("x"), 400, "BadRequestException",
			`{"message":"Invalid connectionId: abc"}`},
		{"wrong stage", "POST", elsewhere + "/@connections/" + id, []byte("x"), 403, "ForbiddenException", forbidden},
		{"too large", "POST", callback + "/@connections/" + id, bytes.Repeat([]byte("x"), 131073), 413,
			"PayloadTooLargeException", `{"message":"Payload Too Large"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, body := askSigned(t, client, test.method, test.url, test.body)
			wantAnswer(t, response, body, test.status, test.errorType, test.answer)
		})
	}
	await[stageclient.Pong](t, alice) // the only frame for alice
	t.Run("unsigned", func(t *testing.T) {
		response, body := ask(t, client, "POST", callback+"/@connections/"+id, http.Header{}, []byte("x"))
		wantAnswer(t, response, body, 403, "MissingAuthenticationTokenException",
			`{"message":"Missing Authentication Token"}`)
	})
	t.Run("get", func(t *testing.T) {
		response, body := askSigned(t, client, "GET", callback+"/@connections/"+id, nil)
		wantAnswer(t, response, "", 200, "", "")
		wantDescription(t, body)
	})
	t.Run("delete", func(t *testing.T) {
		response, body := askSigned(t, client, "DELETE", callback+"/@connections/"+id, nil)
		wantAnswer(t, response, body, 204, "", "")
		_, err := alice.Next(within(t))
		if closed, ok := errors.AsType[*stageclient.ClosedError](err); !ok || closed.Code != 1000 ||
			closed.Reason != "Connection Closed Normally" {
			t.Errorf("alice's connection ended with %v, want 1000 Connection Closed Normally", err)
		}
		response, body = askSigned(t, client, "POST", callback+"/@connections/"+id, []byte("x"))
		wantAnswer(t, response, body, 410, "GoneException", "")
	})
}

// askSigned sends a request with the operator's signature.
func askSigned(t *testing.T, client *stageclient.Client, method, url string, body []byte) (*http.Response, string) {
	t.Helper()
	url = strings.ReplaceAll(url, "=", "%3D")
	r, err := http.NewRequestWithContext(within(t), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := clienttest.Keys(t, client, "admin").Retrieve(within(t))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(within(t), keys, r, hex.EncodeToString(digest[:]), "execute-api",
		client.Outputs.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	return ask(t, client, method, url, r.Header, body)
}

// onlyConnection returns the id of the only connection in the lobby.
func onlyConnection(t *testing.T, client *stageclient.Client) string {
	t.Helper()
	out, err := clienttest.Table(t, client, "admin").Query(within(t), &dynamodb.QueryInput{
		TableName: &client.Outputs.TableName, KeyConditionExpression: aws.String("pk = :pk"),
		ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "ROOM#lobby#0"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Items) != 1 {
		t.Fatalf("%d connections are in the lobby, want one", len(out.Items))
	}
	return out.Items[0]["sk"].(*types.AttributeValueMemberS).Value
}

// wantDescription checks the form of what GetConnection answers.
func wantDescription(t *testing.T, body string) {
	t.Helper()
	var got struct {
		ConnectedAt, LastActiveAt string
		Identity                  map[string]any
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, at := range []string{got.ConnectedAt, got.LastActiveAt} {
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", at); err != nil {
			t.Errorf("%q is no time in ISO 8601 with milliseconds", at)
		}
	}
	if address, ok := got.Identity["sourceIp"].(string); !ok || address == "" {
		t.Errorf("the identity is %v", got.Identity)
	}
}
