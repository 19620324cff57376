/** Markdown tables and the numbers in them. */

export type Column<Item> = { readonly title: string; readonly align?: 'right'; cell(item: Item): string }

export function markdownTable<Item>(columns: readonly Column<Item>[], items: readonly Item[]): string {
  const cells = [
    columns.map((column) => column.title),
    ...items.map((item) => columns.map((column) => column.cell(item))),
  ]
  const widths = columns.map((_, index) => Math.max(3, ...cells.map((row) => row[index]!.length)))
  const line = (row: readonly string[]) =>
    `| ${row.map((text, index) => (columns[index]!.align === 'right' ? text.padStart(widths[index]!) : text.padEnd(widths[index]!))).join(' | ')} |`
  const rule = columns.map((column, index) =>
    column.align === 'right' ? `${'-'.repeat(widths[index]! - 1)}:` : '-'.repeat(widths[index]!),
  )
  return [line(cells[0]!), line(rule), ...cells.slice(1).map(line)].join('\n')
}

/** Three significant digits, thousands parted by commas, a dash for what was not measured. */
export function figure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  const magnitude = Math.abs(value)
  if (magnitude >= 100) return Math.round(value).toLocaleString('en-US')
  if (magnitude >= 10) return value.toFixed(1)
  if (magnitude >= 0.005 || magnitude === 0) return magnitude === 0 ? '0' : value.toFixed(2)
  return value.toPrecision(1)
}

export function percent(share: number | undefined): string {
  return share === undefined || !Number.isFinite(share) ? '–' : `${Math.round(share * 100)} %`
}
