/** `holdfast explain event|room|server ID` */
import { explain, type Explanation, type ExplainQuestion } from '@holdfast/homeserver/explain/explain'
import { explanationText } from '@holdfast/homeserver/explain/text'
import { onData } from './on-data.ts'
import { loadSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

const INDENT = 2

export async function explainCommand(
  terminal: Terminal,
  question: ExplainQuestion,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const settings = await loadSettings(terminal, options)
  const text = await onData(settings, {
    action: 'explain',
    body: question,
    answer: 'explanation',
    direct: async ({ homeserver }) => JSON.stringify(await explain(homeserver.parts, question)),
  })
  const explanation = JSON.parse(text) as Explanation
  terminal.print(
    options['json'] === true ? JSON.stringify(explanation, undefined, INDENT) : explanationText(explanation),
  )
}
