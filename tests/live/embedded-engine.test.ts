/** A small program, carried out by the embedded engine: each test has a stack of its own. */

import "./embedded-engine/outputs.ts";
import "./embedded-engine/changes.ts";
import "./embedded-engine/ownership.ts";
import "./embedded-engine/failures.ts";
