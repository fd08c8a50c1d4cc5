using LoggingService.Rendering;
using LoggingService.Visibility;
using Microsoft.AspNetCore.Html;

namespace LoggingService.Pages;

/// <summary>A line, or a fold of lines, of a day's page.</summary>
internal abstract record ChatItem;

/// <summary>What the service says about an event that is no message: a change of the topic.</summary>
internal sealed record ChatSentence(string EventId, DateTimeOffset Time, string Text) : ChatItem
{
    /// <summary>It tells of a member who joined or left.</summary>
    public bool IsMember { get; init; }

    /// <summary>It tells what the service did, and is no event of the room.</summary>
    public bool IsNote { get; init; }
}

/// <summary>Changes of members that follow each other.</summary>
internal sealed record ChatFold(IReadOnlyList<ChatSentence> Sentences) : ChatItem;

/// <param name="Name">The display name at that time, or else the user id.</param>
/// <param name="UserId"><c>null</c> if it is hidden.</param>
internal sealed record ChatSender(string Name, string? UserId);

/// <summary>A message, or what is left of it.</summary>
internal sealed record ChatMessage(string EventId, DateTimeOffset Time, ChatSender Sender) : ChatItem
{
    public MessageForm Form { get; init; } = MessageForm.Plain;

    /// <summary>Safe to show as it is.</summary>
    public HtmlString Body { get; init; } = HtmlString.Empty;

    /// <summary>The body as text.</summary>
    public string PlainText { get; init; } = "";

    public bool IsEncrypted { get; init; }

    public StubReason? Stub { get; init; }

    /// <summary>Who removed it, with their reason; <c>null</c> if that is not known.</summary>
    public string? RemovedBy { get; init; }

    public ChatFile? File { get; init; }

    public ChatPoll? Poll { get; init; }

    public ChatReply? Reply { get; init; }

    /// <summary>When it was edited last; <c>null</c> if it never was.</summary>
    public DateTimeOffset? EditedAt { get; init; }

    /// <summary>The earlier versions, oldest first.</summary>
    public IReadOnlyList<ChatVersion> Versions { get; init; } = [];

    public IReadOnlyList<ChatReaction> Reactions { get; init; } = [];

    /// <summary>The messages of the thread that begins here.</summary>
    public IReadOnlyList<ChatMessage> Thread { get; init; } = [];

    /// <summary>More messages of the thread are lines of the day.</summary>
    public bool ThreadGoesOn { get; init; }

    /// <summary>Whether it is shown below another message as one of the same sender.</summary>
    public bool Continues(ChatMessage? before) =>
        before is not null && before.Sender == Sender && Time - before.Time < TimeSpan.FromMinutes(10);

    /// <summary>Only the start is shown at first.</summary>
    public bool IsLong => PlainText.Length > 2000 || PlainText.AsSpan().Count('\n') > 24;
}

/// <param name="Excerpt">The start of what it answers; <c>null</c> if that can't be shown.</param>
internal sealed record ChatReply(string EventId, ChatSender? Sender, string? Excerpt, StubReason? Stub);

internal sealed record ChatVersion(DateTimeOffset Time, HtmlString Body);

internal sealed record ChatReaction(string Key, IReadOnlyList<string> Names);

/// <param name="Kind"><c>image</c>, <c>file</c>, …</param>
internal sealed record ChatFile(string Kind, string Name, string? Size);

/// <param name="IsSecret">The votes are not shown before the end.</param>
internal sealed record ChatPoll(string Question, IReadOnlyList<ChatAnswer> Answers, bool IsEnded, bool IsSecret);

internal sealed record ChatAnswer(string Text, int Votes);
