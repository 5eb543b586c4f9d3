/** What people type once the server is up, on a server of their own. */

import "./commands/user.ts";
import "./commands/beside-it.ts";
