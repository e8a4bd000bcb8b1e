package stageclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// NamedUser is a user whom a trusted caller has signed in, for a stage whose AuthMode
// is iam. Times are Unix seconds.
type NamedUser struct {
	Sub           string `json:"sub"`
	Issuer        string `json:"iss,omitempty"` // the issuer of Sub; empty for the stage's OidcIssuer
	Name          string `json:"name,omitempty"`
	SessionStart  int64  `json:"sessionStart"`
	SessionEndsAt int64  `json:"sessionEndsAt"`
	Moderator     bool   `json:"moderator,omitempty"`

	// Rooms are those that the user may enter; none: the default ones. In "news:r" the user may only read.
	Rooms []string `json:"rooms,omitempty"`

	// SignIn names the sign-in, which can be ended by this name: 22 characters, may be empty.
	SignIn string `json:"-"`
}

// NewNamedUser returns a user who has signed in at now. The session is as long as a connection by default.
func NewNamedUser(user User, now time.Time) NamedUser {
	return NamedUser{Sub: user.Sub, Name: user.Name, SessionStart: now.Unix(),
		SessionEndsAt: now.Add(sessionLifetime).Unix()}
}

// SignURLFor asks the stage for a signed URL for a user, as a trusted caller. The caller's AWS credentials sign the
// request. For the rest see [Client.SignURL].
func (c *Client) SignURLFor(ctx context.Context, credentials aws.CredentialsProvider, user NamedUser, rooms []string,
	challenge string) (*Signed, error) {
	request := signRequest{Rooms: rooms, Challenge: challenge, User: &user, SignIn: user.SignIn}
	return c.signURLAsInstance(ctx, request, false, func(r *http.Request, body []byte) error {
		return c.SignRequest(ctx, credentials, r, body)
	})
}

// SignOutFor ends a sign-in of a user and its connections, as a trusted caller. A refusal is a [*SignError].
func (c *Client) SignOutFor(ctx context.Context, credentials aws.CredentialsProvider, user NamedUser) error {
	type subject struct {
		Sub    string `json:"sub"`
		Issuer string `json:"iss,omitempty"`
	}
	body, err := json.Marshal(struct {
		User   subject `json:"user"`
		SignIn string  `json:"signIn"`
	}{subject{user.Sub, user.Issuer}, user.SignIn})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	address := strings.TrimSuffix(c.Outputs.SignURL, "/signurl") + "/signout"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if err := c.SignRequest(ctx, credentials, r, body); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	status, header, answer, err := c.do(r)
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	if status != http.StatusNoContent {
		return newSignError(status, header, answer)
	}
	return nil
}

// SignRequest signs a request to the HTTP API with AWS Signature Version 4, in its
// headers. Nothing of the request may change afterwards.
func (c *Client) SignRequest(ctx context.Context, credentials aws.CredentialsProvider, r *http.Request,
	body []byte) error {
	key, err := credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("find AWS credentials: %w", err)
	}
	digest := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(digest[:]), "execute-api", c.Outputs.Region,
		time.Now()); err != nil {
		return fmt.Errorf("sign the request: %w", err)
	}
	return nil
}
