package report

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"

	"constat/store"
	"constat/store/query"
)

// WriteCSV writes all rows of a public view of a case as CSV, in which no cell
// begins as a formula.
func WriteCSV(ctx context.Context, w io.Writer, db *sql.DB, view string) error {
	if !slices.Contains(store.Views, view) {
		return fmt.Errorf("write csv: there is no view %q, only %s", view, strings.Join(store.Views, ", "))
	}
	rows, err := query.Run(ctx, db, "SELECT * FROM "+view, query.Limits{Rows: -1, Time: -1})
	if err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	defer rows.Close()
	if err := query.WriteCSV(w, rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return rows.Close()
}
