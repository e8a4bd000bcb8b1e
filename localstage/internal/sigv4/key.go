package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Credentials are an AWS access key. They print as their access key ID only, so
// that no log, error or panic shows the secret.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	// SessionToken is empty for a user's long-term key.
	SessionToken string
	// Expires is the end of the session. The zero time means never.
	Expires time.Time
}

// String returns the access key ID, with a note that the rest is left out.
func (c Credentials) String() string {
	return c.AccessKeyID + " (secret left out)"
}

// Format writes the text of String for every verb.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(c.String())) }

// LogValue returns the text of String, for slog.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns the text of String, for JSON and other encodings.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Key is an access key that can verify signatures. It keeps the signing keys that it has derived from its secret,
// because deriving one takes longer than verifying a signature. Several goroutines may use it at once.
type Key struct {
	id string
	// vault returns the secrets. It is a func because fmt prints the fields of structs at any depth, but not the result
	// of a func.
	vault func() *vault
}

// vault holds the secrets of a Key.
type vault struct {
	credentials Credentials

	mu      sync.RWMutex
	derived map[scope][]byte
}

// scope is the scope of a signing key.
type scope struct {
	date, region, service string
}

// maxDerived bounds the memory of a Key. A day has one scope for each service,
// and around midnight two.
const maxDerived = 16

// NewKey returns the Key of credentials.
func NewKey(c Credentials) *Key {
	v := &vault{credentials: c, derived: make(map[scope][]byte)}
	return &Key{id: c.AccessKeyID, vault: func() *vault { return v }}
}

// ID returns the access key ID, which is no secret.
func (k *Key) ID() string { return k.id }

// Credentials returns the key's credentials, for a signer.
func (k *Key) Credentials() Credentials { return k.vault().credentials }

func (k *Key) hasToken(token string) bool {
	return subtle.ConstantTimeCompare([]byte(k.vault().credentials.SessionToken), []byte(token)) == 1
}

func (k *Key) expired(now time.Time) bool {
	end := k.vault().credentials.Expires
	return !end.IsZero() && !now.Before(end)
}

// sign returns the signature of a string to sign, in hexadecimal.
func (k *Key) sign(s scope, toSign []byte) (signature [2 * sha256.Size]byte) {
	mac := hmac.New(sha256.New, k.vault().signingKey(s))
	mac.Write(toSign)
	var sum [sha256.Size]byte
	hex.Encode(signature[:], mac.Sum(sum[:0]))
	return signature
}

// signingKey returns the signing key for a scope, derived once. Verify calls it only for scopes of its own Region, of
// an existing service, and of a date within the Window. So strangers cannot fill the memory.
func (v *vault) signingKey(s scope) []byte {
	v.mu.RLock()
	key, ok := v.derived[s]
	v.mu.RUnlock()
	if ok {
		return key
	}
	key = deriveKey(v.credentials.SecretAccessKey, s)
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.derived) >= maxDerived {
		clear(v.derived)
	}
	v.derived[s] = key
	return key
}

// deriveKey derives a signing key from a secret access key.
//
// Source: IAM User Guide, "Create a signed AWS API request", derive a signing key.
func deriveKey(secret string, s scope) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return key
}
