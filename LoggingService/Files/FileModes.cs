namespace LoggingService.Files;

/// <summary>The modes of what the service creates.</summary>
internal static class FileModes
{
    /// <summary>0640: log files are readable by the service's group.</summary>
    public const UnixFileMode LogFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>0750.</summary>
    public const UnixFileMode LogFolder = LogFile | UnixFileMode.UserExecute | UnixFileMode.GroupExecute;
}
