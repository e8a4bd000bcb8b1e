package stageclient

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// The defaults of signurl, which SignLocally uses, too.
const (
	urlLifetime     = 10 * time.Second
	sessionLifetime = 2 * time.Hour
)

// Proof shows that one client has both asked for the URL and connected with it. The challenge is in the signed URL, the
// verifier in the handshake.
type Proof struct {
	Verifier  string // 43 characters, a secret
	Challenge string // base64url of the verifier's SHA-256 digest
}

// NewProof makes a random proof for one connection.
func NewProof() Proof {
	verifier := base64.RawURLEncoding.EncodeToString(random(32))
	digest := sha256.Sum256([]byte(verifier))
	return Proof{verifier, base64.RawURLEncoding.EncodeToString(digest[:])}
}

// Grant is what a signed URL says about its user, in the parameters of the URL.
type Grant struct {
	Sub             string
	Name            string
	Rooms           []string
	IssuedAt        time.Time // also the time of the signature
	ExpiresAt       time.Time // the URL opens nothing after this
	SessionEndsAt   time.Time
	AuthenticatedAt time.Time
	Ticket          string // makes the URL usable once
	Challenge       string // of a Proof; left out when empty
	ClientInstance  string // ID of an Instance; left out when empty
	SignIn          string // of a NamedUser; left out when empty
	Moderator       bool
	ReadOnly        []string // those of Rooms to which the user may not write, in their order
}

// NewGrant returns a grant as signurl makes it by default at now.
func NewGrant(user User, rooms []string, challenge string, now time.Time) Grant {
	return Grant{
		Sub: user.Sub, Name: user.Name, Rooms: rooms,
		IssuedAt: now, ExpiresAt: now.Add(urlLifetime), SessionEndsAt: now.Add(sessionLifetime), AuthenticatedAt: now,
		Ticket: base64.RawURLEncoding.EncodeToString(random(16)), Challenge: challenge,
	}
}

// Values returns the parameters of the URL before the signature.
func (g Grant) Values() url.Values {
	seconds := func(t time.Time) []string { return []string{strconv.FormatInt(t.Unix(), 10)} }
	values := url.Values{
		"v": {"1"}, "sub": {g.Sub}, "nm": {base64.RawURLEncoding.EncodeToString([]byte(g.Name))},
		"rm":  {strings.Join(g.Rooms, ".")},
		"iat": seconds(g.IssuedAt), "exp": seconds(g.ExpiresAt), "sx": seconds(g.SessionEndsAt),
		"ait": seconds(g.AuthenticatedAt),
		"jti": {g.Ticket},
	}
	optional := map[string]string{
		"cc": g.Challenge, "ci": g.ClientInstance, "si": g.SignIn, "ro": strings.Join(g.ReadOnly, "."),
	}
	if g.Moderator {
		optional["md"] = "1"
	}
	for name, value := range optional {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// Credentials returns AWS credentials: of a profile in the local stage's credentials file, such as "SignUrlFunction",
// or of the default chain when profile is empty.
func (c *Client) Credentials(ctx context.Context, profile string) (aws.CredentialsProvider, error) {
	if profile == "" {
		loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.Outputs.Region))
		if err != nil {
			return nil, fmt.Errorf("load AWS credentials: %w", err)
		}
		return loaded.Credentials, nil
	}
	file := c.Outputs.Local.CredentialsFile
	if file == "" {
		return nil, fmt.Errorf("load AWS credentials: profile %s is one of a local stage's, "+
			"and this stage is not local", profile)
	}
	loaded, err := config.LoadSharedConfigProfile(ctx, profile, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles, o.CredentialsFiles = []string{}, []string{file}
	})
	if err != nil {
		return nil, fmt.Errorf("load AWS credentials: %w", err)
	}
	return credentials.StaticCredentialsProvider{Value: loaded.Credentials}, nil
}

// SignLocally signs a grant with credentials instead of asking signurl. A stage takes it from signurl's own role and
// from the principals in ExtraSignerArns.
func (c *Client) SignLocally(ctx context.Context, keys aws.CredentialsProvider, g Grant) (*Signed, error) {
	signed, err := c.Presign(ctx, keys, g.Values(), g.IssuedAt)
	if err != nil {
		return nil, err
	}
	allowed := make([]Room, len(g.Rooms))
	for i, room := range g.Rooms {
		allowed[i] = Room{room, slices.Contains(g.ReadOnly, room)}
	}
	return &Signed{
		URL: signed, Protocols: []string{Protocol}, User: User{g.Sub, g.Name}, Allowed: allowed, Moderator: g.Moderator,
		ExpiresIn:     int(g.ExpiresAt.Sub(g.IssuedAt) / time.Second),
		SessionEndsIn: int(g.SessionEndsAt.Sub(g.IssuedAt) / time.Second),
	}, nil
}

// Presign signs the WebSocket API's address with any parameters, as of at. Tests use it for grants that no correct
// client makes.
func (c *Client) Presign(ctx context.Context, keys aws.CredentialsProvider, values url.Values,
	at time.Time) (string, error) {
	target, err := url.Parse(c.Outputs.WebSocketURL)
	if err != nil || target.Scheme != "ws" && target.Scheme != "wss" {
		return "", errors.New("sign the URL: WebSocketUrl is not an address ws://… or wss://…")
	}
	key, err := keys.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("sign the URL: find AWS credentials: %w", err)
	}
	scheme := target.Scheme
	// the signer knows the default ports of http and https only
	target.Scheme = strings.Replace(scheme, "ws", "http", 1)
	target.RawQuery = values.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return "", fmt.Errorf("sign the URL: %w", err)
	}
	const emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, key, r, emptyBody, "execute-api", c.Outputs.Region, at.UTC())
	if err != nil {
		return "", fmt.Errorf("sign the URL: %w", err)
	}
	_, rest, _ := strings.Cut(signed, "://")
	return scheme + "://" + rest, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails: the program ends instead
	return b
}
