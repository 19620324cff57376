import { databaseContract } from '../testing/contract.ts'
import { postgresEngine } from '../testing/postgres.ts'

databaseContract(postgresEngine)
