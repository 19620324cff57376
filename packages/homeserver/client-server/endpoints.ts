/** Every endpoint of the Client-Server API that is built, by the specification's file names. */
import * as login from './login.ts'
import * as registration from './registration.ts'
import * as sharedSecretRegistration from './shared_secret_registration.ts'
import * as whoami from './whoami.ts'
import type { Endpoint } from './route.ts'

type Handlers = Readonly<Record<string, Endpoint>>

/** One line for each handler file, in alphabetical order. */
const FILES: readonly Handlers[] = [login, registration, sharedSecretRegistration, whoami]

export const ENDPOINTS: readonly Endpoint[] = FILES.flatMap((file) => Object.values(file))
