package stageclient

// recentIDs remembers the last ids.
type recentIDs struct {
	ids   map[string]bool
	order []string
}

const rememberedIDs = 1000

// add adds an id. It returns false for a known one.
func (r *recentIDs) add(id string) bool {
	if r.ids[id] {
		return false
	}
	if r.ids == nil {
		r.ids = map[string]bool{}
	}
	if len(r.order) == rememberedIDs {
		delete(r.ids, r.order[0])
		r.order = r.order[1:]
	}
	r.ids[id] = true
	r.order = append(r.order, id)
	return true
}
