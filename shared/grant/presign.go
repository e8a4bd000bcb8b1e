package grant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	signingService = "execute-api"
	// emptyPayloadHash is the SHA-256 digest of nothing: a handshake has no body.
	emptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// Presigner turns grants into presigned WebSocket URLs. It is safe for concurrent use.
type Presigner struct {
	endpoint    url.URL // with scheme http or https: the signer removes default ports for these only
	scheme      string  // ws or wss, which replaces that scheme
	region      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
}

// NewPresigner returns a Presigner for the WebSocket API stage at endpoint, wss://host/stage, in region. The URL is
// signed for exactly this path: a trailing slash makes another signature.
func NewPresigner(endpoint, region string, credentials aws.CredentialsProvider) (*Presigner, error) {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("parse WebSocket URL: %w", err)
	}
	scheme := parsed.Scheme
	switch {
	case scheme != "wss" && scheme != "ws", parsed.Host == "", parsed.User != nil, parsed.RawQuery != "",
		parsed.Fragment != "":
		return nil, fmt.Errorf("WebSocket URL %q is not of the form wss://host/stage", parsed.Redacted())
	case region == "":
		return nil, errors.New("no region to sign for: set AWS_REGION")
	case credentials == nil:
		return nil, errors.New("no credentials to sign with")
	}
	parsed.Scheme = strings.Replace(scheme, "ws", "http", 1)
	return &Presigner{
		endpoint: *parsed, scheme: scheme, region: region, credentials: credentials, signer: v4.NewSigner(),
	}, nil
}

// Presign returns the URL that opens one connection as g describes. The signature has the time g.IssuedAt and the
// current credentials, and the URL is valid until g.ExpiresAt.
func (p *Presigner) Presign(ctx context.Context, g Grant) (URL, error) {
	credentials, err := p.credentials.Retrieve(ctx)
	if err != nil {
		return URL{}, fmt.Errorf("retrieve credentials: %w", err)
	}
	if !credentials.HasKeys() {
		return URL{}, errors.New("retrieve credentials: there are none to sign with")
	}
	query := g.Values()
	query.Set("X-Amz-Expires", strconv.Itoa(int(g.ExpiresAt.Sub(g.IssuedAt)/time.Second)))
	target := p.endpoint
	target.RawQuery = query.Encode()
	request := &http.Request{Method: http.MethodGet, URL: &target, Host: target.Host, Header: http.Header{}}
	signed, _, err := p.signer.PresignHTTP(
		ctx, credentials, request.WithContext(ctx), emptyPayloadHash, signingService, p.region, g.IssuedAt)
	if err != nil {
		return URL{}, fmt.Errorf("presign: %w", err)
	}
	_, rest, _ := strings.Cut(signed, "://")
	return URL{value: p.scheme + "://" + rest}, nil
}

// URL is a presigned URL. It is a secret for as long as it is valid, so only Reveal returns it: every formatting verb
// and every log handler gets a placeholder.
type URL struct{ value string }

const placeholder = "[presigned URL]"

// Reveal returns the URL itself, for the answer to its user.
func (u URL) Reveal() string { return u.value }

// String returns a placeholder.
func (u URL) String() string { return placeholder }

// Format implements fmt.Formatter: a placeholder for every verb.
func (u URL) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, placeholder) }

// MarshalText implements encoding.TextMarshaler: a placeholder, in JSON too.
func (u URL) MarshalText() ([]byte, error) { return []byte(placeholder), nil }

// LogValue implements slog.LogValuer: a placeholder.
func (u URL) LogValue() slog.Value { return slog.StringValue(placeholder) }
