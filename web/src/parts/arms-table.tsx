import type { ReactNode } from 'react'

type ArmsTableProps = { label: string; columns: readonly string[]; children: ReactNode }

/** What is compared, a row each. */
export function ArmsTable({ label, columns, children }: ArmsTableProps) {
  return (
    <table className="arms" aria-label={label}>
      <thead>
        <tr>
          {columns.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  )
}
