/** How a phone is told to trust a CA, and which programs on it then do. Their makers' words for menus, which change. */

export const IOS: readonly string[] = [
    "Tap the link in Safari and allow the download of a configuration profile.",
    "Settings → General → VPN & Device Management (or “Profile Downloaded” at the top): install it.",
    "Settings → General → About → Certificate Trust Settings: switch full trust on for it.",
];

export const ANDROID: readonly string[] = [
    "Tap the link, and keep the file.",
    "Settings → Security (on some phones: Security & privacy → More) → Encryption & credentials → Install a certificate → CA certificate: choose the file.",
];

export const BELIEVED: readonly string[] = [
    "iPhone and iPad: Safari, and every app that leaves certificates to the system.",
    "Android: Chrome. Firefox only after Settings → About Firefox → five taps on its logo → Secret Settings → Use third party CA certificates.",
    "Android: another app only if its makers have decided so. Whatever is made for Android 7 or newer does not believe a CA that a person has installed, unless it says that it does. Element X says so (version 26.08).",
    "None of this was tried by those who wrote it: if an app does not connect, try the address in the phone's browser.",
];
