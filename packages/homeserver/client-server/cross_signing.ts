/** Cross-signing. <https://spec.matrix.org/v1.19/client-server-api/#cross-signing> */
import * as operations from '@holdfast/api/generated/client-server/cross_signing'
import { entriesOf, members } from '@holdfast/api/operation'
import { objectOf } from '../e2e-keys/shown-keys.ts'
import { uploadSignatures } from '../e2e-keys/upload-signatures.ts'
import { checkSigningUpload, commitSigningUpload } from '../e2e-keys/upload-signing-keys.ts'
import { Reply } from '@holdfast/service/http/reply'
import { provePassword } from '../user-interactive-auth/prove-password.ts'
import { route } from './route.ts'

/** POST /keys/device_signing/upload. Keys are first uploaded freely; from then on they are changed by who proves to be the user. */
export const uploadCrossSigningKeys = route(
  operations.uploadCrossSigningKeys,
  async ({ deps, requester, body, request }) => {
    let upload = await checkSigningUpload(deps, requester, members(body))
    // Only `auth`: the body is the one of the request that was asked for it.
    if (upload.needsProof || (body.auth !== undefined && Object.keys(body).length === 1)) {
      const outcome = await provePassword(deps, requester, {
        operation: 'uploadCrossSigningKeys',
        body: members(body),
        remoteAddress: request.remoteAddress,
      })
      if (outcome.kind === 'challenge') return new Reply(outcome.status, outcome.body)
      upload = await checkSigningUpload(deps, requester, outcome.body)
    }
    await commitSigningUpload(deps, requester, upload)
    return {}
  },
)

/** POST /keys/signatures/upload */
export const uploadCrossSigningSignatures = route(
  operations.uploadCrossSigningSignatures,
  async ({ deps, requester, body }) => {
    const failures = await uploadSignatures(deps, requester, entriesOf(body))
    return { failures: objectOf(failures) }
  },
)
