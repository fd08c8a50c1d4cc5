namespace LoggingService.Cli;

/// <summary>The line on standard error with which the program ends.</summary>
internal static class ErrorOutput
{
    private const int GeneralError = 1;

    /// <summary>EX_CONFIG of sysexits.h: a supervisor need not restart the service.</summary>
    private const int ConfigurationError = 78;

    /// <summary>Whether an exception is not a bug: its message is enough.</summary>
    public static bool IsOneLine(Exception e) => e is FatalException or IOException or UnauthorizedAccessException;

    /// <returns>The exit code.</returns>
    public static int Write(Exception e)
    {
        try
        {
            // Others are about a file, or standard output: a full disk, a closed terminal.
            Console.Error.WriteLine(e is FatalException ? e.Message : $"Failed: {e.Message}".ReplaceLineEndings(" "));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Only the exit code is left.
        }

        return e is ConfigurationException ? ConfigurationError : GeneralError;
    }
}
