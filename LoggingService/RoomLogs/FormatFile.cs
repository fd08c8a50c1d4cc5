using System.Globalization;
using System.Text;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary><c>logs/FORMAT</c>: the version of the layout of the log directory.</summary>
internal static class FormatFile
{
    private const int Version = 2;

    /// <summary>Writes the file where it is missing.</summary>
    /// <exception cref="ConfigurationException">A newer version of the service wrote the directory.</exception>
    public static void Check(string root)
    {
        var path = Path.Combine(root, "FORMAT");
        try
        {
            var text = File.Exists(path) ? File.ReadAllText(path).Trim() : "1";
            if (!int.TryParse(text, CultureInfo.InvariantCulture, out var version) || version > Version)
            {
                throw new ConfigurationException(
                    $"LoggingService:Logs: a newer version of LoggingService wrote {root} (FORMAT is \"{text}\"). Start that version.");
            }

            if (version < Version)
            {
                AtomicFile.Replace(path, Posix.LogFileMode, file => file.Write(Encoding.ASCII.GetBytes($"{Version}\n")));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk must not keep the service from starting: the next start writes it.
        }
    }
}
