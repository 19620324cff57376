/** HTML in which every value is escaped unless it is HTML already. */

export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (character) => ESCAPES[character]!)
}

/** `` html`<p title="${title}">${body}</p>` ``: attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return new Html(strings.map((part, index) => part + shown(values[index])).join(''))
}

function shown(value: string | Html | readonly Html[] | undefined): string {
  if (value === undefined) return ''
  if (value instanceof Html) return value.text
  return typeof value === 'string' ? escaped(value) : value.map((one) => one.text).join('')
}
