package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/internal/stageclient"
)

// prober holds the results that one step passes to the next.
type prober struct {
	client   *stageclient.Client
	user     string
	patience time.Duration

	// prepare fetches the token or the credentials before the steps begin. unfetched is the error if it fails.
	token       string
	credentials aws.CredentialsProvider
	unfetched   error

	signed *stageclient.Signed // of the first step; used up
	proof  stageclient.Proof
	conn   *stageclient.Conn
}

// errNoUser means that there is neither a token nor credentials for a user of the stage.
var errNoUser = errors.New("no token and no credentials of a user")

// The AuthModes of a stage that differ from the default one.
const (
	guests         = "guest"
	trustedCallers = "iam"
)

// step is one check of the stage. take returns a result in words, or a trouble.
type step struct {
	name      string
	needsUser bool
	take      func(ctx context.Context) (found string, wrong *trouble)
}

// trouble describes a step that failed or was not tried, with its remedy.
type trouble struct {
	what, todo string
	untried    bool
}

// steps returns the steps in their order. The first is a real connection.
func (p *prober) steps() []step {
	return []step{
		{"connect", true, p.connect},
		{"message", true, p.message},
		{"ping", true, p.ping},
		{"page", false, p.page},
		{"token", false, p.askWithoutToken},
		{"unsigned", false, p.refuses("an unsigned handshake", unsignedOpens,
			func(context.Context) (string, string, string, error) {
				return p.client.Outputs.WebSocketURL, "", p.client.Origin(), nil
			})},
		{"forged", false, p.refuses("a URL with a made-up signature", alteredOpens,
			func(context.Context) (string, string, string, error) {
				return p.forged(time.Now()), "", p.client.Origin(), nil
			})},
		{"replay", true, p.refuses("the URL that has been used", replayOpens,
			func(context.Context) (string, string, string, error) {
				return p.signed.URL, p.proof.Verifier, p.client.Origin(), nil
			})},
		{"altered", true, p.refuses("a URL with another user in it", alteredOpens,
			func(context.Context) (string, string, string, error) {
				url := strings.Replace(p.signed.URL, "sub=", "sub=x", 1)
				return url, p.proof.Verifier, p.client.Origin(), nil
			})},
		{"origin", true, p.refuses("a page of another site", originOpens,
			func(ctx context.Context) (string, string, string, error) {
				signed, proof, err := p.sign(ctx)
				if err != nil {
					return "", "", "", err
				}
				return signed.URL, proof.Verifier, "https://other.example", nil
			})},
	}
}

// forged returns a URL in the form of a signed one, with a key that no account has.
func (p *prober) forged(now time.Time) string {
	date := now.UTC().Format("20060102T150405Z")
	query := url.Values{
		"X-Amz-Algorithm":     {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential":    {"AKIAMADEUP/" + date[:8] + "/" + p.client.Outputs.Region + "/execute-api/aws4_request"},
		"X-Amz-Date":          {date},
		"X-Amz-SignedHeaders": {"host"},
		"X-Amz-Signature":     {strings.Repeat("0", 64)},
	}
	return p.client.Outputs.WebSocketURL + "?" + query.Encode()
}

// prepare fetches the token or the credentials of the user, once for all steps.
func (p *prober) prepare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tokenPatience)
	defer cancel()
	local := p.client.Outputs.Local.DevTokenURL
	switch mode := p.client.Outputs.AuthMode; {
	case mode == guests:
	case mode == trustedCallers:
		p.credentials, p.unfetched = p.client.Credentials(ctx, "")
		if p.unfetched == nil {
			_, p.unfetched = p.credentials.Retrieve(ctx)
		}
		if p.unfetched != nil {
			p.unfetched = fmt.Errorf("%w: %w", errNoUser, p.unfetched)
		}
	case p.client.TokenCommand == "" && local == "":
		p.unfetched = errNoUser
	default:
		p.token, p.unfetched = p.client.Token(ctx, p.user)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			p.unfetched = fmt.Errorf("the token command did not end within %s", tokenPatience)
		}
	}
}

// sign gets a signed URL in the way that the stage's AuthMode demands.
func (p *prober) sign(ctx context.Context) (*stageclient.Signed, stageclient.Proof, error) {
	proof := stageclient.NewProof()
	if p.unfetched != nil {
		return nil, proof, p.unfetched
	}
	if p.client.Outputs.AuthMode == trustedCallers {
		user := stageclient.NewNamedUser(stageclient.User{Sub: p.user, Name: p.user}, time.Now())
		signed, err := p.client.SignURLFor(ctx, p.credentials, user, nil, proof.Challenge)
		return signed, proof, err
	}
	signed, err := p.client.SignURL(ctx, p.token, nil, proof.Challenge)
	return signed, proof, err
}

func (p *prober) connect(ctx context.Context) (string, *trouble) {
	signed, proof, err := p.sign(ctx)
	if err != nil {
		return "", p.notSigned(err)
	}
	p.signed, p.proof = signed, proof
	p.conn, err = p.client.Dial(ctx, signed, stageclient.DialOptions{Verifier: proof.Verifier})
	if err != nil {
		return "", p.notOpened(err)
	}
	return fmt.Sprintf("%s connected with a signed URL", signed.User.Name), nil
}

func (p *prober) message(ctx context.Context) (string, *trouble) {
	if err := p.conn.Send(ctx, stageclient.Outgoing{Text: "probe", ID: "probe"}); err != nil {
		return "", &trouble{what: err.Error(), todo: "the connection broke: " + lookAt("SendMessageFunction")}
	}
	for {
		frame, err := p.conn.Next(ctx)
		if err != nil {
			return "", &trouble{what: "no answer to a message: " + err.Error(), todo: lookAt("SendMessageFunction")}
		}
		switch f := frame.(type) {
		case stageclient.Ack:
			return fmt.Sprintf("delivered to %d of %d in the room", f.Delivered, f.Recipients), nil
		case stageclient.Error:
			return "", &trouble{what: "a message was refused: " + f.Code, todo: lookAt("SendMessageFunction")}
		case stageclient.GatewayError:
			return "", &trouble{what: "API Gateway could not run the function: " + f.Text, todo: gatewayFailed}
		}
	}
}

func (p *prober) ping(ctx context.Context) (string, *trouble) {
	err := p.conn.Ping(ctx)
	if err == nil {
		_, err = stageclient.Await[stageclient.Pong](ctx, p.conn)
	}
	if err != nil {
		return "", &trouble{what: "no pong: " + err.Error(),
			todo: "the route ping needs its function and its permission; " + lookAt("SendMessageFunction")}
	}
	return "answered", nil
}

// page checks whether the stage's page answers. A stack can be without a page.
func (p *prober) page(ctx context.Context) (string, *trouble) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.client.Outputs.FrontendURL, nil)
	if err != nil {
		return "", &trouble{what: "FrontendUrl of the outputs is no address", todo: "make outputs shows it"}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", &trouble{what: "no answer: " + err.Error(), todo: lookAt("FrontendFunction")}
	}
	_ = response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotFound:
		return "this stage has none", nil
	case response.StatusCode >= http.StatusBadRequest:
		return "", &trouble{what: fmt.Sprintf("the page answers %d", response.StatusCode),
			todo: lookAt("FrontendFunction")}
	}
	return "is there", nil
}

// askWithoutToken asks signurl without a token. Only a stage for guests may answer with a URL.
func (p *prober) askWithoutToken(ctx context.Context) (string, *trouble) {
	_, err := p.client.SignURL(ctx, "", nil, stageclient.NewProof().Challenge)
	if refused := new(stageclient.SignError); errors.As(err, &refused) &&
		(refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden) {
		return fmt.Sprintf("no URL without a token (%d)", refused.Status), nil
	}
	switch {
	case err == nil && p.client.Outputs.AuthMode == guests:
		return "guests get a URL, as they may", nil
	case err == nil:
		return "", &trouble{what: "signurl signs without a token", todo: signurlIsOpen}
	}
	return "", &trouble{what: "without a token signurl does not answer 401 or 403: " + err.Error(),
		todo: lookAt("SignUrlFunction")}
}

// refuses returns a step that tries a handshake and wants a 403. attempt gives the URL, the verifier and the origin.
func (p *prober) refuses(what, todo string,
	attempt func(context.Context) (url, verifier, origin string, err error)) func(context.Context) (string, *trouble) {
	return func(ctx context.Context) (string, *trouble) {
		url, verifier, origin, err := attempt(ctx)
		if err != nil {
			return "", p.notSigned(err)
		}
		conn, err := p.client.Dial(ctx, &stageclient.Signed{URL: url, Protocols: []string{stageclient.Protocol}},
			stageclient.DialOptions{Verifier: verifier, Header: http.Header{"Origin": {origin}}})
		if err == nil {
			_ = conn.Close()
			return "", &trouble{what: what + " opens a connection", todo: todo}
		}
		if refused := new(stageclient.RefusedError); errors.As(err, &refused) &&
			refused.Status == http.StatusForbidden {
			return what + " is refused (403)", nil
		}
		return "", &trouble{what: what + " is not answered 403: " + err.Error(), todo: lookAt("ConnectFunction")}
	}
}

func (p *prober) close() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
}
