package iamauth

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"signedsocket/localstage/internal/sigv4"
)

// Config configures an Authority.
type Config struct {
	// Region is the Region that every credential scope must name.
	Region string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// EnforceExpires refuses presigned requests after X-Amz-Expires. API Gateway is reported not to.
	EnforceExpires bool
	// Principals are all identities of the run.
	Principals []*Principal
}

// Authority holds the principals of a run. Several goroutines may use it at once.
type Authority struct {
	principals principals
	verifier   *sigv4.Verifier
	now        func() time.Time
}

// principals are the principals by access key ID.
type principals map[string]*Principal

// FindKey returns the key of the principal with an access key ID.
func (p principals) FindKey(accessKeyID string) (*sigv4.Key, bool) {
	principal, ok := p[accessKeyID]
	if !ok {
		return nil, false
	}
	return principal.key, true
}

// New returns an Authority, or an error if the Region is missing or two principals have the same access key ID.
func New(c Config) (*Authority, error) {
	if c.Region == "" {
		return nil, errors.New("new authority: Region is empty")
	}
	known := make(principals, len(c.Principals))
	for _, p := range c.Principals {
		if other, taken := known[p.AccessKeyID]; taken {
			return nil, fmt.Errorf("new authority: %s and %s have the same access key", other.ARN, p.ARN)
		}
		known[p.AccessKeyID] = p
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Authority{
		principals: known,
		verifier:   sigv4.NewVerifier(sigv4.Config{Region: c.Region, Keys: known, EnforceExpires: c.EnforceExpires}),
		now:        c.Now,
	}, nil
}

// Authenticate returns the principal that signed r, or a refusal. body is the whole body of r, which Authenticate does
// not read itself. service is the service that the request calls, such as sigv4.ServiceExecuteAPI.
func (a *Authority) Authenticate(r *http.Request, body []byte, service string) (*Principal, *Refusal) {
	key, err := a.verifier.Verify(sigv4.Input{Request: r, Body: body, Service: service, Now: a.now()})
	if err != nil {
		return nil, unauthenticated(err, service)
	}
	return a.principals[key.ID()], nil
}
