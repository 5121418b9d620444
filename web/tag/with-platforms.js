/* fsbridge-consent.js: the tag, with the consent platforms. */

import "./platforms.js";
import "./main.js";
