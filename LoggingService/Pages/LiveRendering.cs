using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>Renders single lines of a day, as the page of the day shows them.</summary>
internal sealed class LiveRendering(PageRenderer renderer, PageLinks links, TimeZoneInfo zone)
{
    /// <param name="events">The last events of the day.</param>
    /// <param name="isChanged">Only lines that show such events; <c>null</c> for all.</param>
    /// <param name="isOfDay">Whether an event is of the day, also before <paramref name="events"/>.</param>
    public async Task<List<LiveLine>> RenderAsync(
        RoomVisibility room, Reader reader, IReadOnlyList<VisibleEvent> events, Predicate<VisibleEvent>? isChanged,
        Predicate<string> isOfDay)
    {
        var relations = new ChatRelations(events, []);
        var wanted = isChanged is null ? null : FindLines(relations, events, isChanged);
        if (events.Count == 0 || wanted?.Count == 0)
        {
            return [];
        }

        var day = events[0].Position.Day;
        var messages = new ChatMessages(room, relations, new EventLookup(room, reader, day), zone, renderer.Text);
        messages.LoadAnswered(events.Where(e => wanted is null || wanted.Contains(e.Event.EventId)));
        var history = new DayHistory(room);
        var sentences = new EventText(history, zone);
        var model = new DayModel(
            renderer.Text, links, room, day, new([], 1, 1) { Servers = ChatDay.ServersOf(events) }, null, null, "",
            AmbiguousNamesOf(events, messages), null);
        var ownLines = relations.Lines.ToHashSet(ReferenceEqualityComparer.Instance);
        var lines = new List<LiveLine>();
        ChatMessage? before = null;
        foreach (var e in events)
        {
            // What belongs to an earlier message of the day than those of the window is shown when the page is loaded again.
            if (ownLines.Contains(e) && !(BelongsToAnother(e) && ChatRelations.RelationOf(e).Target is { } target && isOfDay(target)))
            {
                var isWanted = wanted is null || wanted.Contains(e.Event.EventId);
                if (ChatMessages.IsMessage(e) || e.Stub is not null)
                {
                    var message = isWanted ? messages.Create(e) : new(e.Event.EventId, messages.TimeOf(e), messages.SenderOf(e));
                    if (isWanted)
                    {
                        var part = new MessageModel(model, message, message.Continues(before));
                        lines.Add(await LineAsync(e, new AspNetCoreGeneratedDocument.Pages_MessagePart { Model = part }));
                    }

                    before = message;
                }
                else
                {
                    before = null;
                    if (isWanted)
                    {
                        var sentence = new ChatSentence(e.Event.EventId, messages.TimeOf(e), sentences.Sentence(e))
                        {
                            IsNote = e.Event.IsNote,
                        };
                        lines.Add(await LineAsync(e, new AspNetCoreGeneratedDocument.Pages_SentencePart { Model = new(model, sentence) }));
                    }
                }
            }

            history.Add(e);
        }

        return lines;

        static async Task<LiveLine> LineAsync(VisibleEvent e, RazorSlices.RazorSlice part) =>
            new(e.Event.EventId, e.Position.Line, (await PageRenderer.RenderAsync(part)).Trim(), IsNew: false);
    }

    /// <summary>The lines that show changed events, and those that quote the changed lines.</summary>
    /// <param name="events">The last events of the day.</param>
    public static HashSet<string> FindLines(IReadOnlyList<VisibleEvent> events, Predicate<VisibleEvent> isChanged) =>
        FindLines(new ChatRelations(events, []), events, isChanged);

    private static HashSet<string> FindLines(
        ChatRelations relations, IReadOnlyList<VisibleEvent> events, Predicate<VisibleEvent> isChanged)
    {
        var lines = events.Where(e => isChanged(e)).Select(e => relations.LineOf(e.Event.EventId)).ToHashSet();
        if (lines.Any(line => relations.Find(line) is { } e && !isChanged(e)))
        {
            foreach (var e in events)
            {
                var answered = e.Event.Content["m.relates_to"u8]["m.in_reply_to"u8]["event_id"u8].AsString();
                if (answered is not null && lines.Contains(answered))
                {
                    lines.Add(relations.LineOf(e.Event.EventId));
                }
            }
        }

        return lines;
    }

    private static bool BelongsToAnother(VisibleEvent e) =>
        ChatRelations.RelationOf(e).Type is "m.replace" or "m.annotation" or "redaction"
        || e.Event.CanonicalType is "m.poll.response" or "m.poll.end";

    private static HashSet<string> AmbiguousNamesOf(IReadOnlyList<VisibleEvent> events, ChatMessages messages) =>
    [
        .. events.Where(ChatMessages.IsMessage).GroupBy(e => e.Event.SenderText)
            .Select(ofSender => messages.SenderOf(ofSender.Last())).Distinct()
            .GroupBy(sender => sender.Name).Where(ofName => ofName.Count() > 1).Select(ofName => ofName.Key),
    ];
}
