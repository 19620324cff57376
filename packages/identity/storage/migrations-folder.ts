/** Where the schema of the identity service is. */
export const MIGRATIONS_FOLDER = new URL('./migrations', import.meta.url).pathname
