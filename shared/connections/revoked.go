package connections

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Revoked returns ErrRevoked or ErrBanned when a user who authenticated at that time may not connect
// at now, and nil when Connect would not refuse the user. Any other error is a fault.
func (s *Store) Revoked(ctx context.Context, subject string, authenticatedAt, now time.Time) error {
	user, err := s.get(ctx, userKey(subject), aws.String("notBefore, bannedUntil"))
	if err != nil {
		return fmt.Errorf("read user: %w", err)
	}
	return revoked(user, authenticatedAt, now)
}
