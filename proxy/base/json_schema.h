/*
 * json_schema.h - does a value meet a JSON Schema (draft 4)?
 */
#ifndef ABT_BASE_JSON_SCHEMA_H
#define ABT_BASE_JSON_SCHEMA_H

#include "albatross/json.h"

/*
 * Everything that draft 4 says about validation, but "format" and references to
 * other documents, which hold always.  |scratch| is filled and can be thrown
 * away.  False too when memory is out, or when references go on without end.
 */
bool abt_json_schema_holds(const struct abt_json *schema,
    const struct abt_json *value, struct abt_arena *scratch);

#endif
