package roomlog

import (
	"testing"

	"signedsocket/test/tool/engine"
)

func TestMain(m *testing.M) { engine.Main(m) }

func TestMotoAgrees(t *testing.T) {
	t.Parallel()
	engine.JudgeByMoto(t, "TestWritersInTrouble",
		"TestRandomOperationsAgreeWithTheModel/seed_[1-7]") // one seed shows that the model fits moto, too
}
