package connections

import (
	"fmt"
	"testing"

	"signedsocket/shared/userid"
)

// TestTheGuestsItemStaysSmall: each guest that joins writes the pool's item, so its length is the price of a join. The
// template's maximum of GuestConnections stands for this number.
func TestTheGuestsItemStaysSmall(t *testing.T) {
	t.Parallel()
	const most = 300
	bytes := 0
	for i := range most {
		id := fmt.Sprintf("L0SM9c%09d=", i)
		bytes += len(entryName(id)) + 14 // a number of 23 digits, as DynamoDB counts it
		bytes += len(instanceName(id)) + len(instanceOf(userid.NewGuest(), "AAECAwQFBgcICQoLDA0ODw"))
	}
	if bytes > 20<<10 {
		t.Errorf("the item of %d guests has %d bytes", most, bytes)
	}
}
