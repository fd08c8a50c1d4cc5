using System.Text;
using LoggingService.Rendering;
using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>Events as the lines of a log, from what a reader may see.</summary>
internal sealed class EventText(DayHistory history, TimeZoneInfo zone)
{
    private const int TimestampLength = 27;

    private readonly LineBuffer _line = new();
    private readonly Text _text = Text.English;

    /// <summary>The line without its time; of a sentence of the service without the mark.</summary>
    public string Sentence(VisibleEvent e)
    {
        var line = Render(e.Event);
        return line[(line.IndexOf("*** ", TimestampLength, StringComparison.Ordinal) == TimestampLength ? TimestampLength + 4
            : TimestampLength)..];
    }

    /// <summary>The whole line, without its line break.</summary>
    public string Line(VisibleEvent e)
    {
        if (e.Stub is not { } reason)
        {
            return Render(e.Event);
        }

        var time = LogLine.Time(e.Event, zone).ToString("yyyy-MM-dd HH:mm:ss zzz", System.Globalization.CultureInfo.InvariantCulture);
        var why = reason switch
        {
            StubReason.NotLogged => _text.LineNotLogged,
            StubReason.Erased => _text.LineErased,
            StubReason.Hidden => _text.LineHidden,
            _ => _text.LineRemoved,
        };
        return e.Event.SenderText is { } sender ? $"{time} <{SafeText.UserId(sender)}, {why}>" : $"{time} *** {_text.LineOfUnknown}, {why}";
    }

    private string Render(RoomEvent e)
    {
        _line.Clear();
        try
        {
            LogLine.Write(_line, e, history, zone);
        }
#pragma warning disable CA1031 // Any bug in rendering: the service's log tells it where the line was logged.
        catch
#pragma warning restore CA1031
        {
            _line.Clear();
            LogLine.WriteFallback(_line, e, zone);
        }

        return Encoding.UTF8.GetString(_line.Written).TrimEnd('\n');
    }
}
