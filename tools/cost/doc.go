// Package cost holds the model of what a deployment costs in a month and where its limits are: AWS's list prices and
// quotas, and the work of the functions, which its tests count. It writes the tables of docs/scale.md (make docs).
package cost
