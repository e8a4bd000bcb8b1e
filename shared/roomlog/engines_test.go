package roomlog

import (
	"testing"

	"signedsocket/shared/dynamo/dynamotest"
)

func TestMain(m *testing.M) { dynamotest.Main(m) }

func TestMotoAgrees(t *testing.T) {
	t.Parallel()
	dynamotest.JudgeByMoto(t, "TestWritersInTrouble",
		"TestRandomOperationsAgreeWithTheModel/seed_[1-7]") // one seed shows that the model fits moto, too
}
