using System.Runtime.InteropServices;

namespace LoggingService.Files;

internal static partial class CurrentUser
{
    /// <summary>The user of this process for messages: its name or, as with <c>docker run --user 12345</c>, its number.</summary>
    public static string Name => Environment.UserName is { Length: > 0 } name ? name : $"the user with id {geteuid()}";

#pragma warning disable SYSLIB1054, IDE1006 // libc's names
    [LibraryImport("libc")]
    private static partial uint geteuid();
#pragma warning restore SYSLIB1054, IDE1006
}
