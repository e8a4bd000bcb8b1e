package lambdaapi

import "testing"

// FuzzResolve checks that a valid name means the same function as its ARN.
func FuzzResolve(f *testing.F) {
	for _, name := range []string{
		"Echo", "Echo:$LATEST", "Echo:live", echoARN, echoARN + ":7", "111122223333:function:Echo", "111122223333:Echo",
		"us-gov-west-1:111122223333:function:Echo", "function:Echo", "function", "111122223333",
		"arn:aws:lambda:::function:Echo", "a b", "",
	} {
		f.Add(name, "")
	}
	f.Add("Echo", "$LATEST")
	f.Add("Echo:1", "2")
	a := &API{region: testRegion, account: testAccount}
	f.Fuzz(func(t *testing.T, name, qualifier string) {
		ref, refusal := a.resolve(name, qualifier)
		if refusal != nil {
			return
		}
		if again, refusal := a.resolve(ref.arn(), ref.qualifier); refusal != nil || again != ref {
			t.Errorf("%q is %+v, and its ARN is %+v, %v", name, ref, again, refusal)
		}
	})
}
