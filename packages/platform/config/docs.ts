/** The documentation page and the JSON schema, made from the table of settings. */
import { CONFIG_KEYS, CONFIG_NAMES, type ConfigName, fileName, flagName, type Section, variableName } from './keys.ts'
import { RATE_LIMIT_CLASSES } from './rate-limits.ts'

const INTRODUCTION = `# Configuration

Nothing needs to be set. What is set can stand in a file, \`holdfast.yaml\` in the current folder or the file that
\`--config\` or \`HOLDFAST_CONFIG\` names, in an environment variable, or in a flag. A flag beats a variable, a variable beats the
file. An unknown name or a value of the wrong kind stops the start, and the message names its place.

\`holdfast config check\` checks the settings without starting.

\`\`\`yaml
# yaml-language-server: $schema=docs/operating/holdfast.schema.json
server_name: example.org
public_url: https://matrix.example.org
trusted_proxies: [127.0.0.1]
\`\`\`

Lists are YAML lists, or separated by commas in variables and flags. Durations have a unit: \`30s\`, \`5m\`.
A secret can also be given as the path of a file that holds it, under its name with \`_file\` at the end
(\`database_file\`, \`HOLDFAST_DATABASE_FILE\`, \`--database-file\`). Secrets are never printed.
`

/** `docs/operating/configuration.md` */
export function configurationPage(): string {
  const sections = new Map<Section, ConfigName[]>()
  for (const name of CONFIG_NAMES) {
    const { section } = CONFIG_KEYS[name]
    sections.set(section, [...(sections.get(section) ?? []), name])
  }
  const pages = [...sections].map(([section, names]) => `## ${section}\n\n${names.map(entry).join('\n')}`)
  return `${INTRODUCTION}\n${pages.join('\n')}\n${rateLimitTable()}`
}

function entry(name: ConfigName): string {
  const { kind, defaultText, doc } = CONFIG_KEYS[name]
  const secretNote = kind.secret ? ' Secret.' : ''
  const facts = `${kind.label}${defaultText === '' ? '' : `; default \`${defaultText}\``}.${secretNote}`
  return `### \`${fileName(name)}\`\n\n${doc}\n\n${facts} \`${variableName(name)}\`, \`${flagName(name)}\`\n`
}

function rateLimitTable(): string {
  const rows = Object.entries(RATE_LIMIT_CLASSES).map(
    ([name, { perSecond, burst, doc }]) => `| \`${name}\` | \`${perSecond}/${burst}\` | ${doc} |`,
  )
  return `## Rate limits

\`5/60\` means: 60 at once, and 5 more each second. Each class can be given its own figures, or \`off\`:

\`\`\`yaml
rate_limits:
  message: 10/100
  registration: off
\`\`\`

In a variable or flag: \`HOLDFAST_RATE_LIMITS=message=10/100,registration=off\`.

| class | default | what it counts |
| --- | --- | --- |
${rows.join('\n')}
`
}

/** `docs/operating/holdfast.schema.json`, for editors. */
export function configurationSchema(): string {
  const properties = CONFIG_NAMES.flatMap((name) => {
    const { kind, doc } = CONFIG_KEYS[name]
    const plain = [fileName(name), { description: doc, ...kind.schema }] as const
    const file = [
      `${fileName(name)}_file`,
      { description: `The path of a file with ${fileName(name)}.`, type: 'string' },
    ] as const
    return kind.secret ? [plain, file] : [plain]
  })
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'holdfast.yaml',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}
