using System.Globalization;
using System.Text;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;
using Serilog.Sinks.File;

namespace LoggingService.RoomLogs;

/// <summary>A day's text, formatted by a Serilog File sink (audit: it throws on errors) into the pending bytes.</summary>
internal sealed class DayText : IDisposable
{
    private static readonly MessageTemplateTextFormatter Format =
        new("{Timestamp:yyyy-MM-dd HH:mm:ss zzz} {Line:l}{NewLine}", CultureInfo.InvariantCulture);

    private readonly string _path;
    private Logger _sink;

    private DayText(DayFile file, string path)
    {
        File = file;
        _path = path;
        _sink = OpenSink();
    }

    public DayFile File { get; }

    /// <summary>Opens a day's text, created with its mode: the sink would make it world-readable.</summary>
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

    public void Append(DateTimeOffset time, string line) => _sink.Write(ToEvent(time, line));

    public static void Write(TextWriter output, DateTimeOffset time, string line) => Format.Format(ToEvent(time, line), output);

    public void Rest()
    {
        _sink.Dispose();
        File.Rest();
    }

    /// <summary>Reopens both; throws <see cref="IOException"/> if the file has changed.</summary>
    public void Wake()
    {
        File.Wake();
        _sink = OpenSink();
    }

    public void Dispose()
    {
        _sink.Dispose();
        File.Dispose();
    }

    private Logger OpenSink() => new LoggerConfiguration().AuditTo.File(Format, _path, hooks: new IntoPending(File)).CreateLogger();

    private static LogEvent ToEvent(DateTimeOffset time, string line) =>
        new(time, LogEventLevel.Information, exception: null, MessageTemplate.Empty, [new("Line", new ScalarValue(line))]);

    /// <summary>Redirects the sink from the file that it opened to the pending bytes.</summary>
    private sealed class IntoPending(DayFile file) : FileLifecycleHooks
    {
        public override Stream OnFileOpened(string path, Stream underlyingStream, Encoding encoding)
        {
            underlyingStream.Dispose();
            return file.Pending;
        }
    }
}
