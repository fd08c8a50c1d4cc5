using LoggingService.Files;
using LoggingService.Pages;
using LoggingService.Visibility;

namespace LoggingService.Cli;

/// <summary>The export of a room as one HTML file, with what the web pages show of it.</summary>
internal static class HtmlExport
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the file, and returns what to tell.</summary>
    /// <exception cref="FatalException">Nothing of the room may be shown, or a file can't be read or written.</exception>
    public static string Run(string root, ExportRequest request, string output, CancellationToken cancellation)
    {
        if (request is not { Room: { } name, User: null })
        {
            throw new ConfigurationException("--format html needs a room, and exports what anyone may see of it: not with --user");
        }

        try
        {
            var hidden = new HiddenEvents(root);
            hidden.Refresh();
            var scan = new RoomScan(Path.Combine(root, name), hidden, new());
            scan.Refresh(LinksTo(root, name), turns: 0);
            var days = scan.Current?.MayRead(Reader.Anonymous) == true ? scan.Current.Days.Where(request.Contains).ToList() : [];
            if (days.Count == 0)
            {
                throw new FatalException(
                    $"The web pages show nothing of {name}, and the HTML export neither: docs/pages.md tells what they show. "
                    + "The other formats export all that is logged.");
            }

            var path = Path.Combine(output, $"{name}.html");
            var file = new RoomFile(new Assets(), TimeZoneInfo.Local);
            AtomicFile.Replace(path, FileMode, stream =>
            {
                foreach (var part in file.PartsAsync(scan.Current!, Reader.Anonymous, days).ToBlockingEnumerable(cancellation))
                {
                    stream.Write(System.Text.Encoding.UTF8.GetBytes(part));
                }
            });
            return $"Exported {days.Count} day{(days.Count == 1 ? "" : "s")} to {path}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FatalException($"Failed to export {name}: {e.Message}");
        }
    }

    private static List<string> LinksTo(string root, string name) =>
    [
        .. new DirectoryInfo(root).EnumerateDirectories().Where(entry => entry.LinkTarget == name).Select(entry => entry.Name)
            .Order(StringComparer.Ordinal),
    ];
}
