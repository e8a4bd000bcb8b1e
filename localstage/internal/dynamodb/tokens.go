package dynamodb

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.etcd.io/bbolt"
)

// tokenLifetime is the time for which a repeated transaction with the same token does nothing.
// Source: TransactWriteItems of the API reference, ClientRequestToken.
const tokenLifetime = 10 * time.Minute

// expiredTokens is the number of expired tokens that each new one removes, so that their number shrinks.
const expiredTokens = 4

// tokenClaim is the attempt to perform a transaction under a token. The zero value stands for a transaction without a
// token and always succeeds.
type tokenClaim struct {
	token   string
	request [sha256.Size]byte
	now     int64 // nanoseconds since 1970
}

func newTokenClaim(token string, body []byte, now time.Time) (tokenClaim, error) {
	if token == "" {
		return tokenClaim{}, nil
	}
	// Clients write the members of objects in any order. The same request has the same canonical form.
	canonical := jsontext.Value(bytes.Clone(body))
	if err := canonical.Canonicalize(); err != nil {
		return tokenClaim{}, malformed("request: %v", err)
	}
	return tokenClaim{token, sha256.Sum256(canonical), now.UnixNano()}, nil
}

// make records the claim in its own transaction, so that the claim lasts if and only if the transaction does. done
// means that the same request has been performed already.
func (c tokenClaim) make(tx *bbolt.Tx) (done bool, err error) {
	if c.token == "" {
		return false, nil
	}
	tokens := tx.Bucket(tokensBucket)
	if record := tokens.Get([]byte(c.token)); record != nil && c.isAlive(record) {
		if !bytes.Equal(record[8:], c.request[:]) {
			return false, refused("IdempotentParameterMismatchException",
				"The provided client token was already used for another request")
		}
		return true, nil
	}
	if err := c.clearExpired(tx); err != nil {
		return false, err
	}
	//nolint:gosec // the time is after 1970
	expiry := binary.BigEndian.AppendUint64(nil, uint64(c.now+int64(tokenLifetime)))
	if err := tx.Bucket(tokensExpiryBucket).Put(append(bytes.Clone(expiry), c.token...), nil); err != nil {
		return false, err
	}
	return false, tokens.Put([]byte(c.token), append(expiry, c.request[:]...))
}

// isAlive reports whether a record, or a key of the expiry bucket, has not expired. Both begin with the expiry.
func (c tokenClaim) isAlive(record []byte) bool {
	return int64(binary.BigEndian.Uint64(record)) > c.now //nolint:gosec // make has written an int64
}

func (c tokenClaim) clearExpired(tx *bbolt.Tx) error {
	tokens := tx.Bucket(tokensBucket)
	cursor := tx.Bucket(tokensExpiryBucket).Cursor()
	for range expiredTokens {
		key, _ := cursor.First()
		if key == nil || c.isAlive(key) {
			return nil
		}
		// The token may have been claimed again. Its record is then younger than this key.
		if record := tokens.Get(key[8:]); record != nil && !c.isAlive(record) {
			if err := tokens.Delete(key[8:]); err != nil {
				return err
			}
		}
		if err := cursor.Delete(); err != nil {
			return err
		}
	}
	return nil
}
