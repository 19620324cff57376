import { databaseContract } from '../testing/contract.ts'
import { sqliteEngine } from '../testing/sqlite.ts'

databaseContract(sqliteEngine('inline'))
databaseContract(sqliteEngine('thread'))
