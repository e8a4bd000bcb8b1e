package connections

import (
	"testing"

	"signedsocket/shared/dynamo/dynamotest"
)

func TestMain(m *testing.M) { dynamotest.Main(m) }

func TestMotoAgrees(t *testing.T) {
	t.Parallel()
	dynamotest.JudgeByMoto(t)
}
