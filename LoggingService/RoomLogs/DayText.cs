using System.Globalization;
using System.Text;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;
using Serilog.Sinks.File;

namespace LoggingService.RoomLogs;

/// <summary>
/// A day's text, written by a Serilog File sink: an audit sink, which throws where an ordinary one swallows the error and
/// the line. What the sink writes waits in the <see cref="DayFile"/> for the batch's commit.
/// </summary>
internal sealed class DayText : IDisposable
{
    private static readonly MessageTemplateTextFormatter Format =
        new("{Timestamp:yyyy-MM-dd HH:mm:ss zzz} {Line:l}{NewLine}", CultureInfo.InvariantCulture);

    private readonly string _path;
    private Logger _sink;

    private DayText(DayFile file, string path)
    {
        (File, _path) = (file, path);
        _sink = OpenSink();
    }

    /// <summary>The file.</summary>
    public DayFile File { get; }

    /// <summary>Opens a day's text, made if it isn't there (by us: the sink would make it readable for everybody).</summary>
    /// <param name="root">The log directory.</param>
    /// <param name="name">The file's path within it.</param>
    public static DayText Open(string root, string name)
    {
        var file = DayFile.Open(root, name);
        try
        {
            return new(file, Path.Combine(root, name));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Appends a line to the file's pending bytes.</summary>
    /// <param name="time">The moment that the line begins with.</param>
    /// <param name="line">The rest of it, safe and without a line break.</param>
    public void Append(DateTimeOffset time, string line) => _sink.Write(ToEvent(time, line));

    /// <summary>Writes a line as it stands in a day's text.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="time">The moment that the line begins with.</param>
    /// <param name="line">The rest of it, safe and without a line break.</param>
    public static void Write(TextWriter output, DateTimeOffset time, string line) => Format.Format(ToEvent(time, line), output);

    /// <summary>Closes the file, between two batches, and the sink, which has buffers of its own.</summary>
    public void Rest()
    {
        _sink.Dispose();
        File.Rest();
    }

    /// <summary>Opens them again after a rest; throws <see cref="IOException"/> where it is not the file that it was.</summary>
    public void Wake()
    {
        File.Wake();
        _sink = OpenSink();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sink.Dispose();
        File.Dispose();
    }

    private Logger OpenSink() => new LoggerConfiguration().AuditTo.File(Format, _path, hooks: new IntoPending(File)).CreateLogger();

    private static LogEvent ToEvent(DateTimeOffset time, string line) =>
        new(time, LogEventLevel.Information, exception: null, MessageTemplate.Empty, [new("Line", new ScalarValue(line))]);

    /// <summary>Gives the sink the day file's pending bytes to write to, instead of the file that it opened itself.</summary>
    private sealed class IntoPending(DayFile file) : FileLifecycleHooks
    {
        public override Stream OnFileOpened(string path, Stream underlyingStream, Encoding encoding)
        {
            underlyingStream.Dispose();
            return file.Pending;
        }
    }
}
