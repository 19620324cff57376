/** The environment of the process, read here and nowhere else. */

export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env
}
