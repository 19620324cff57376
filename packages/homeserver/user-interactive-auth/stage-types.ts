/** The stages that this server can ask for. <https://spec.matrix.org/v1.19/client-server-api/#authentication-types> */
export type StageType = 'm.login.dummy' | 'm.login.password' | 'm.login.registration_token' | 'm.login.terms'

/** Stages in the order in which they must be completed. */
export type Flow = readonly StageType[]
