using LoggingService.Files;

namespace LoggingService.Cli;

/// <summary>
/// The file <c>.progress</c> of an export: the request, then a line for each day that is complete. It is deleted at the end, so that an
/// export to the same folder continues one that was interrupted, and otherwise starts from the beginning.
/// </summary>
internal sealed class ExportProgress : IDisposable
{
    private readonly string _path;
    private readonly HashSet<string> _done;
    private readonly StreamWriter _file;

    /// <exception cref="FatalException">The folder has an interrupted export of another request.</exception>
    public ExportProgress(string folder, ExportRequest request)
    {
        _path = Path.Combine(folder, ".progress");
        var lines = File.Exists(_path) ? File.ReadAllLines(_path) : [];
        if (lines.Length > 0 && lines[0] != request.ToString())
        {
            throw new FatalException(
                $"{folder} has another export, which was interrupted. Name another folder with --output, or delete it.");
        }

        _done = [.. lines.Skip(1)];
        _file = new StreamWriter(_path, append: true) { AutoFlush = true };
        if (lines.Length == 0)
        {
            _file.WriteLine(request.ToString());
        }
    }

    public bool IsDone(string room, DateOnly day) => _done.Contains(Line(room, day));

    /// <summary>To be called once the day's file is durable.</summary>
    public void Add(string room, DateOnly day) => _file.WriteLine(Line(room, day));

    public void Complete()
    {
        _file.Dispose();
        File.Delete(_path);
    }

    public void Dispose() => _file.Dispose();

    private static string Line(string room, DateOnly day) => $"{room}/{DayFileName.Record(day)}";
}
